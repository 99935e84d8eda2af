"""One row of labelled data, from whatever source: read strictly, and refused in words that say what would do."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from adapeff_sim.data.examples import (
    EXAMPLE_OF,
    Answer,
    AnyExample,
    MisplacedError,
    PairExample,
    TaskKind,
    TextExample,
    TokensExample,
)
from adapeff_sim.errors import DataError
from adapeff_sim.near_names import choices

PROBLEMS_SHOWN = 10
TAG = re.compile(r"O|[A-Z]-.+", re.DOTALL)  # in any of the schemes that are about: BIO, BIOES, BILOU
TEXTS = ("text", "premise", "hypothesis", "question", "context")
WANTED = {
    "string_type": "write a string",
    "string_too_short": "fill it in, or drop the row",
    "string_unicode": "replace the lone surrogate (half a character)",
    "int_type": "write a whole number",
    "tuple_type": "write a list",
    "too_short": "give more entries, or drop the row",
    "greater_than_equal": "count from 0",
}


class RowProblem(ValueError):
    """What is wrong with one row, each time with what would do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class MisplacedAnswer(RowProblem):
    """Nothing is wrong with a row but where its answers stand."""


class Located(NamedTuple):
    """An example and the place it was read from, as an error would tell it."""

    where: str
    example: AnyExample


def clean(text: str) -> str:
    """The text with everything a terminal would not print as a character escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shown(value: object) -> str:
    """A short look at a value that somebody else wrote: on one line, escaped, at most 60 characters."""
    match value:
        case str():
            return repr(value[:45] + "…" if len(value) > 48 else value)[:60]
        case None | bool() | int() | float():
            return json.dumps(value)[:60]
        case Mapping():
            return "an object"
        case list() | tuple():
            return f"a list of {len(value)}"
    return f"a {type(value).__name__}"


def unknown(what: str, name: object, known: Iterable[str]) -> DataError:
    """The error for a name that is not there: the nearest one, or all there are."""
    return DataError(f"unknown {what} {shown(name)}; {clean(choices(name, known))}")


def refuse(problems: Iterable[str]) -> None:
    """Raise the first problems as one error, if there are any."""
    some = list(itertools.islice(problems, PROBLEMS_SHOWN + 1))
    if len(some) > PROBLEMS_SHOWN:
        some[PROBLEMS_SHOWN:] = [f"(the first {PROBLEMS_SHOWN} problems; there are more)"]
    if some:
        raise DataError("\n".join(some))


def labels_of(example: AnyExample) -> tuple[str, ...]:
    """The class or the tags that an example names; none for choice and span."""
    match example:
        case TextExample() | PairExample():
            return (example.label,)
        case TokensExample():
            return example.tags
    return ()


def labels_never_trained(train: set[str], rows: Iterable[Located]) -> Iterator[str]:
    """A problem for each label, where it is first met, that no training row of any language has."""
    seen = set(train)
    for where, example in rows:
        for label in labels_of(example):
            if label not in seen:
                seen.add(label)
                yield (
                    f"{where}: label {shown(label)} is in no training row of any language; correct it, drop the row, "
                    f"or add training rows that have it (trained: {clean(', '.join(sorted(train))[:60])})"
                )


def read_row(kind: TaskKind, row: Mapping[str, Any]) -> AnyExample:
    """The example that a row's fields make; raises RowProblem for all that is wrong with them."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    if kind is TaskKind.SPAN and "answers" in row:
        fields["answers"] = _answers(row["answers"])
    try:
        example = EXAMPLE_OF[kind].model_validate(fields, strict=True)
    except ValidationError as error:
        raise _row_problem(error, EXAMPLE_OF[kind], f"a {kind} row") from None
    if problems := [*_blanks(example), *_bad_labels(example)]:
        raise RowProblem(*problems)
    return example


def _blanks(example: AnyExample) -> Iterator[str]:
    """Texts of nothing but spaces, which say as little as empty ones."""
    for field, value in example:
        if field in TEXTS and value and not value.strip():
            yield f"{field} is {shown(value)}, only spaces; {WANTED['string_too_short']}"
        elif field == "choices":
            blank = (f"{field}[{i}] is {shown(choice)}" for i, choice in enumerate(value) if not choice.strip())
            yield from (f"{found}; {WANTED['string_too_short']}" for found in blank)
        elif field == "tokens" and not any(token.strip() for token in value):
            yield f"tokens have nothing in them; {WANTED['string_too_short']}"


def _bad_labels(example: AnyExample) -> Iterator[str]:
    """Labels that name nothing, and tags of which nobody can tell where an entity begins."""
    labels = dict.fromkeys(labels_of(example))
    if any(not label.strip() for label in labels):
        yield "an empty label; name the class or tag, or drop the row"
    elif strange := [tag for tag in labels if isinstance(example, TokensExample) and not TAG.fullmatch(tag)]:
        fix = "write O, or B- or I- before the name of an entity (B-PER), or rename tags with labels in a scenario"
        yield f"tag {shown(strange[0])} is not BIO; {fix}"


def _answers(value: object) -> tuple[Answer, ...]:
    """Answers written as {text: [...], answer_start: [...]}, or as a list of {text, answer_start}."""
    if isinstance(value, Mapping) and set(value) == {"text", "answer_start"}:
        texts, starts = ([v] if isinstance(v, str | int) else v for v in (value["text"], value["answer_start"]))
        if not (isinstance(texts, list) and isinstance(starts, list) and len(texts) == len(starts)):
            raise RowProblem(f"answers has {shown(texts)} in text and {shown(starts)} in answer_start; pair them")
        value = [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    if not (isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value)):
        raise RowProblem(f"answers is {shown(value)}; write {{text: [...], answer_start: [...]}} with an answer in it")
    try:
        return tuple(Answer.model_validate(dict(entry), strict=True) for entry in value)
    except ValidationError as error:
        raise _row_problem(error, Answer, "an answer") from None


def _is_misplaced(found: Any) -> bool:
    """Whether one of pydantic's findings is about where an answer stands; some sets write -1 for nowhere."""
    is_nowhere = found["type"] == "greater_than_equal" and found["loc"][-1] == "answer_start"
    return is_nowhere or isinstance(found.get("ctx", {}).get("error"), MisplacedError)


def _row_problem(error: ValidationError, model: type[BaseModel], row: str) -> RowProblem:
    """Pydantic's findings in the words of a data file."""
    needed = ", ".join(name for name, field in model.model_fields.items() if field.is_required())
    free = ", ".join(name for name, field in model.model_fields.items() if not field.is_required())
    allowed = f"{row} has {needed}" + (f", and may have {free}" if free else "")
    problems = []
    for found in error.errors(include_url=False)[:PROBLEMS_SHOWN]:
        field = "".join(f"[{part}]" if isinstance(part, int) else str(part) for part in found["loc"])
        match found["type"]:
            case "missing":
                problems.append(f"no field {field!r}; {allowed}")
            case "extra_forbidden":
                problems.append(f"unknown key {shown(found['loc'][-1])}; {allowed}")
            case "value_error":
                problems.append(str(found["ctx"]["error"]))
            case sort:
                problems.append(f"{field} is {shown(found['input'])}; {WANTED.get(sort, found['msg'])}")
    if all(map(_is_misplaced, error.errors(include_url=False))):
        return MisplacedAnswer(*problems)
    return RowProblem(*problems)
