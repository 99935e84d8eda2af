"""Rows that are only stated: sizes are told, rows are not, and what cannot be is refused with its place."""

import pytest

from adapeff_sim.artifacts.recipe import DatasetRecipe
from adapeff_sim.data.base import SOURCES, DataSource
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.data.options import OptionsError
from adapeff_sim.errors import DataError
from adapeff_sim.estimation.stated import resolve
from adapeff_sim.execution.sources import Sources
from adapeff_sim.lifecycle.world import Endpoint, TestSet

NLI = {"kind": "pair", "outputs": 3, "tokens": 90, "train": {"en": 70}, "validation": {"en": 5}, "test": {"sw": 9}}
PICK = {"kind": "choice", "outputs": 4, "tokens": 20, "train": {"en": 7}}


def stated(**tasks: object) -> DataSource:
    found: DataSource = SOURCES.get("stated")(tasks)
    return found


def test_sizes_are_told_and_rows_are_not():
    source = stated(nli=NLI, pick=PICK)
    assert dict(source.tasks()) == {"nli": TaskKind.PAIR, "pick": TaskKind.CHOICE}
    assert source.languages("nli") == ("en", "sw") and source.splits("nli", "en") == ("train", "validation")
    assert len(source.labels("nli")) == 3 and source.labels("pick") == ()
    with pytest.raises(DataError, match=r"70 train rows of nli/en .* none is here; price them"):
        source.examples("nli", "en", "train")
    with pytest.raises(DataError, match="unknown task 'nil'"):
        source.languages("nil")


@pytest.mark.parametrize(
    ("changed", "place", "told"),
    [
        ({"kind": "nli"}, ("it", "kind"), "choose one of"),
        ({"outputs": 1}, ("it", "outputs"), "at least 2"),
        ({"kind": "span"}, ("it", "outputs"), "a span has none"),
        ({"windows_per_row": 2}, ("it", "windows_per_row"), "only rows of a span task"),
        ({"train": {"en": 0}}, ("it", "train", "en"), "above 0"),
        ({"train": {}, "validation": {}, "test": {}}, ("it", "train"), "missing"),
        ({"rows": 3}, ("it", "rows"), "unknown key"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(changed, place, told):
    with pytest.raises(OptionsError) as refused:
        stated(it=NLI | changed)
    (found,) = [text for at, text in refused.value.problems if at == place]
    assert told in found


def test_what_is_said_of_rows_is_their_content():
    """Other sizes are other rows, and no more of them can be asked for than are stated."""
    one, other = (Sources(f'stated:{{"nli": {text}}}', None) for text in (_json(NLI), _json(NLI | {"tokens": 91})))
    sw, test = Endpoint("nli", "sw"), TestSet()
    assert one.test_digest(sw, test) == one.test_digest(sw, test) != other.test_digest(sw, test)
    assert one.count(sw, "test") == 9 and one.count(sw, "train") == 0
    assert one.request("nli", resolve("shape:xlm-roberta-base"), 64).length_tokens == 64


def test_stated_validation_rows_count_by_how_many_are_taken():
    """A limit is part of their content, up to the rows that there are."""
    sources = Sources(f'stated:{{"nli": {_json(NLI)}}}', None)
    recipe = DatasetRecipe(task="nli", language="en", rows=70, source="")
    none, few, all_of_them, more = (sources.validation_digest(recipe, limit, 1) for limit in (0, 3, 5, 2000))
    assert len({none, few, all_of_them}) == 3 and all_of_them == more


def _json(task: dict[str, object]) -> str:
    return str(task).replace("'", '"')
