"""What a data source holds: tasks x languages x counts, the balance of labels, examples, and what to be wary of."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from adapeff_sim.data.base import DataSource
from adapeff_sim.data.examples import AnyExample, ChoiceExample, Split, TaskKind
from adapeff_sim.data.files import Files
from adapeff_sim.data.overlap import Contradictions, Overlap, contradictions, overlaps
from adapeff_sim.data.rows import labels_of, unknown

SHOWN_TEXT = 60  # characters of a row that a warning shows
Rows = Mapping[Split, Sequence[AnyExample]]
JSON_VERSION = 1
SAID: dict[Split, str] = {"train": "training"}


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LanguageSurvey(_Told):
    """How many rows a task has in one language."""

    language: str
    rows: dict[Split, int]  # of the splits that there are


class Majority(_Told):
    """The commonest label of the training rows, and the share of the labels of another split that it is.

    For tagging, labels are those of tokens. The other split is that of the test rows; without training or without test
    rows, the one there is stands for both. ``tied`` are labels that are as common as this one, with their shares.
    """

    label: str
    share: float
    tied: dict[str, float] = {}
    split: Split = "test"  # of which it is a share


class TaskSurvey(_Told):
    """One task: its languages, how often each label stands in each split, and a few rows."""

    task: str
    kind: TaskKind
    languages: tuple[LanguageSurvey, ...]
    labels: dict[str, dict[Split, int]]  # the commonest first; of the languages that were looked at
    majority: Majority | None
    examples: tuple[dict[str, JsonValue], ...]


class Survey(_Told):
    """All that was asked of a source."""

    version: int = JSON_VERSION
    source: str
    tasks: tuple[TaskSurvey, ...]
    warnings: tuple[str, ...]


def survey(
    source: DataSource, name: str, task: str | None = None, language: str | None = None, examples: int = 3
) -> Survey:
    """Look at a source, or at one task or language of it; raises DataError for a name that it does not have."""
    known = source.tasks()
    if task is not None and task not in known:
        raise unknown("task", task, known)
    languages = {each: source.languages(each) for each in ([task] if task else sorted(known))}
    if language is not None and not any(language in some for some in languages.values()):
        raise unknown("language", language, {at for some in languages.values() for at in some})
    tasks, warnings = [], []
    for each, some in languages.items():
        looked = [at for at in some if language in (None, at)]
        if looked:
            rows = {at: {s: source.examples(each, at, s) for s in source.splits(each, at)} for at in looked}
            tasks.append(_task(each, known[each], rows, examples))
            warnings += [line for at in looked for line in warnings_of(f"{each}/{at}", rows[at])]
            warnings += [*_lacking(each, rows), *_untrained(tasks[-1])]
            one = sole_label(each, known[each], [label for label, n in tasks[-1].labels.items() if n.get("train")])
            warnings += [one] if one else []
    bare = source.empty() if isinstance(source, Files) else ()
    asked = [(each, at) for each, at in bare if task in (None, each) and language in (None, at)]
    warnings += [f"{each}/{at}: no train, validation or test file" for each, at in asked]
    return Survey(source=name, tasks=tuple(tasks), warnings=tuple(warnings))


def warnings_of(endpoint: str, rows: Rows) -> Iterator[str]:
    """What to be wary of in the rows of one endpoint."""
    yield from (told(endpoint, found) for found in overlaps(rows))
    twice = contradictions(row for some in rows.values() for row in some)
    if twice:
        yield _contradicted(endpoint, twice)


def told(endpoint: str, found: Overlap) -> str:
    """An overlap in words."""
    count = f"{found.shared:,} of {found.rows:,} {found.split} rows"
    return f"{endpoint}: {count} are {SAID.get(found.other, found.other)} rows too, such as {_quoted(found.example)}"


def _contradicted(endpoint: str, found: Contradictions) -> str:
    count = "1 text has" if found.texts == 1 else f"{found.texts:,} texts have"
    labels = " and ".join(_quoted(label) for label in found.labels[:2])
    return f"{endpoint}: {count} more than one label, such as {_quoted(found.example)}: {labels}"


def sole_label(task: str, kind: TaskKind, trained: Sequence[str]) -> str | None:
    """A warning where there is nothing to tell apart."""
    if kind in (TaskKind.CHOICE, TaskKind.SPAN) or len(trained) != 1:
        return None
    return f"{task}: every training row has label {_quoted(trained[0])}, so nothing can be learnt; add rows of others"


def _lacking(task: str, rows: Mapping[str, Rows]) -> Iterator[str]:
    """Splits that are not there: test rows of a language, and training rows of all that were looked at."""
    if untested := [language for language, some in rows.items() if "test" not in some]:
        yield f"{task}: no test rows in {', '.join(untested)}; nothing can be scored there, add some"
    if not any("train" in some for some in rows.values()):
        yield f"{task}: no training rows in {', '.join(rows)}; it can only be tested there, add some to train it"
    if unstopped := [at for at, some in rows.items() if "train" in some and "validation" not in some]:
        yield f"{task}: no validation rows in {', '.join(unstopped)}; they tell when training has gone on long enough"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= SHOWN_TEXT else text[:SHOWN_TEXT] + "…")


def _untrained(found: TaskSurvey) -> Iterator[str]:
    """Labels that are tested, but in none of the languages that were looked at trained."""
    if any("train" in at.rows for at in found.languages):
        missing = [label for label, count in found.labels.items() if not count.get("train")]
        if missing:
            some = ", ".join(map(_quoted, missing[:5])) + (", ..." if len(missing) > 5 else "")
            yield f"{found.task}: no training row has label {some}"


def _task(task: str, kind: TaskKind, rows: Mapping[str, Rows], examples: int) -> TaskSurvey:
    counts: dict[Split, Counter[str]] = {}
    for some in rows.values():
        for split, these in some.items():
            counts.setdefault(split, Counter()).update(_labels(these))
    total: Counter[str] = sum(counts.values(), Counter())
    order = sorted(total, key=lambda label: (-total[label], label))
    return TaskSurvey(
        task=task,
        kind=kind,
        languages=tuple(
            LanguageSurvey(language=at, rows={split: len(these) for split, these in some.items()})
            for at, some in rows.items()
        ),
        labels={label: {split: count[label] for split, count in counts.items()} for label in order},
        majority=_majority(counts),
        examples=tuple(row.model_dump(mode="json") for row in _some(rows, examples)),
    )


def _some(rows: Mapping[str, Rows], count: int) -> Iterator[AnyExample]:
    """So many rows, of one language after the other, English first; each at another place of its file."""
    files = [next(iter(rows[at].values())) for at in sorted(rows, key=lambda at: (at != "en", at)) if rows[at]]
    turns = (file[i] for i in range(count) for file in files[i % len(files) :][:1] if i < len(file))
    return turns if files else iter(())


def _labels(rows: Iterable[AnyExample]) -> Iterator[str]:
    """The labels of rows: classes, the tags of tokens, or which of the choices is right."""
    for row in rows:
        yield from [str(row.label)] if isinstance(row, ChoiceExample) else labels_of(row)


def _majority(counts: Mapping[Split, Counter[str]]) -> Majority | None:
    there: list[Split] = [split for split in ("train", "test") if counts.get(split)]
    if not there:
        return None
    learnt, tested = counts[there[0]], counts[there[-1]]
    label = min(learnt, key=lambda name: (-learnt[name], name))
    share = {name: tested[name] / tested.total() for name in sorted(learnt) if learnt[name] == learnt[label]}
    return Majority(label=label, share=share.pop(label), split=there[-1], tied=share)
