"""What an evaluation said of every test item, read from the file that it left in the store.

A prediction counts as a whole: one other tag makes a sentence another prediction, one other letter an answer. An item
is known by its content, so that evaluations on different test sets can be compared on the items that both have.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapeff_sim.data.examples import AnyExample, TaskKind, content_digest
from adapeff_sim.ledger.outcome import Prediction
from adapeff_sim.training.jobs import PREDICTIONS


def predictions(
    artifact: Path, kind: TaskKind, rows: Iterable[AnyExample], language: str
) -> dict[str, Prediction] | None:
    """The prediction of every test row, by the row's content; None where none were kept or they are of other rows."""
    try:
        lines = [json.loads(line) for line in (artifact / PREDICTIONS).read_text(encoding="utf-8").split("\n") if line]
        said = [(line["gold"], line["predicted"]) for line in lines]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    items = _names(rows)
    if len(items) != len(said):
        return None
    found = (Prediction(json.dumps(answer), _is_right(kind, gold, answer, language)) for gold, answer in said)
    return dict(zip(items, found, strict=True))


def _names(rows: Iterable[AnyExample]) -> list[str]:
    """A name for each row: its content's digest, and which one of several equal rows it is."""
    seen: Counter[str] = Counter()
    names = []
    for row in rows:
        content = content_digest([row])
        seen[content] += 1
        names.append(f"{content}.{seen[content]}")
    return names


def _is_right(kind: TaskKind, gold: Any, said: Any, language: str) -> bool:
    """Whether all of a prediction is right; of an answer cut from a text as its exact match is scored."""
    if kind is not TaskKind.SPAN:
        return bool(gold == said)
    from adapeff_sim.training.metrics import answer_tokens

    return answer_tokens(said, language) in [answer_tokens(answer, language) for answer in gold]
