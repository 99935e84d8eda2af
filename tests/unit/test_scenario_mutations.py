"""Whatever is done to a scenario's file, it loads or is refused in words."""

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_scenario import TEXT, plain, write_rows

from adapeff_sim.errors import AdapeffError
from adapeff_sim.scenario.document import parse
from adapeff_sim.scenario.load import load

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "as", "every", "../x", "intent", "sw", "launch", "files:rows", "hub:{", "helpdesk:[1]", "~"]),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from(["event", "day", "files", "helpdesk", "as", "x"]), st.text(max_size=4), max_size=2),
)
QUIET = settings(
    max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenarios")
    write_rows(folder / "rows")
    return folder / "tiny.yaml"


def survives(file, content: bytes) -> str:
    """The error's text, or nothing when the scenario loads; anything but an AdapeffError fails the test."""
    file.write_bytes(content)
    try:
        load(file)
    except AdapeffError as error:
        return str(error)
    return ""


def is_printable(text: str) -> bool:
    return all(line.isprintable() for line in text.splitlines())


def places(value, place=()):
    """Every place inside plain values."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*place, key)
        yield from places(part, (*place, key))


@QUIET
@given(data=st.data())
def test_values_that_are_replaced_renamed_or_dropped(file, data):
    value = plain()
    for _ in range(data.draw(st.integers(1, 2))):
        *way, key = data.draw(st.sampled_from(list(places(value))))
        inside = value
        for part in way:
            inside = inside[part]
        match data.draw(st.sampled_from(["replace", "rename", "drop"])):
            case "replace":
                inside[key] = data.draw(ODD)
            case "rename" if isinstance(inside, dict):
                inside[data.draw(st.text(max_size=6))] = inside.pop(key)
            case _:
                inside.pop(key)
        if not value:
            break
    assert is_printable(survives(file, json.dumps(value).encode()))  # JSON is YAML


@QUIET
@given(seed=st.integers(0, 10**6))
def test_characters_that_are_cut_doubled_or_swapped(file, seed):
    chance, content = random.Random(seed), bytearray(TEXT.encode())
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(content))
        end = min(len(content), start + chance.choice([1, 1, 2, 40]))
        piece = content[start:end]
        other = bytes(chance.choice(b"\t\n:{}[]-,#&*!|>'\"%@`\x00\xff 09ax~") for _ in piece)
        content[start:end] = chance.choice([b"", piece + piece, other])
    assert is_printable(survives(file, bytes(content)))


@QUIET
@given(content=st.binary(max_size=300))
def test_bytes_that_are_no_scenario(file, content):
    assert survives(file, content)


WORDS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=6)  # as JSON, also YAML


@QUIET
@given(
    value=st.recursive(
        st.one_of(st.booleans(), st.integers(-(10**17), 10**17), st.floats(-1e9, 1e9), WORDS),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
        max_leaves=12,
    )
)
def test_what_json_says_is_what_is_read(value):
    assert parse(json.dumps({"it": value}).encode(), "it").value == {"it": value}
