"""Examples from dataset repositories on the Hugging Face hub, or from local folders that are laid out like one.

A repository is pinned to a commit, so that the same scenario reads the same rows next year. The argument is the name
of a ready-made mapping, options, or a list of both, whose tasks and languages are put together.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.columns import Names, Only, RowMapping, located
from adapeff_sim.data.examples import AnyExample, Split, TaskKind
from adapeff_sim.data.files import SPLITS
from adapeff_sim.data.options import OptionsError, Place, misunderstood
from adapeff_sim.data.ready import ready
from adapeff_sim.data.repository import Repository
from adapeff_sim.data.rows import Located, labels_never_trained, labels_of, refuse, unknown
from adapeff_sim.errors import DataError


class HubTask(RowMapping):
    """Where the rows of one task lie in the repository, and which columns are its fields.

    ``languages`` gives each language the repository's word for it: a value of the column that ``columns`` names for
    ``language``, if it names one; else the word that stands for ``{language}`` in ``config`` (by default, all of it),
    or in the names of ``files``, where the repository does not say itself which file is which split.
    """

    beside: ClassVar[tuple[str, ...]] = ("language",)
    config: str | None = None
    files: dict[Split, str] = Field(default={})
    languages: Names = Field(min_length=1)
    splits: dict[Split, str] = Field(default={})  # the repository's word, or a part of one; "" where there is none

    @model_validator(mode="after")
    def _every_language_has_rows_of_its_own(self) -> Self:
        if self.files and (self.config or self.splits):
            raise ValueError("files are named, so config and splits have no effect; drop them, or files")
        place = self.config if not self.files else " ".join(self.files.values())
        fixed = place is not None and "{language}" not in place and "language" not in self.columns
        if fixed and len(self.languages) > 1:
            raise ValueError("every language would read the same config; write {language} in it, or columns: language")
        return self

    def there(self) -> tuple[Split, ...]:
        """The splits that have rows; one that the repository does not have is called "" in ``splits``."""
        return tuple(
            split for split in SPLITS if (split in self.files if self.files else self.splits.get(split, split))
        )


class HubOptions(BaseModel):
    """A repository (or a local folder), its commit, and the tasks to read from it.

    ``mapping`` takes all of it from a ready-made one; what is said beside that goes before it. ``languages`` leaves
    out all others, which are then not downloaded either.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    mapping: str | None = None
    about: str = ""
    id: str = Field(default="", description="owner/name on the hub, or a folder")
    revision: str | None = Field(default=None, description="The commit, 40 digits; none for a folder.")
    languages: tuple[str, ...] | None = Field(default=None, min_length=1)
    tasks: dict[str, HubTask] = {}


class Part(NamedTuple):
    """One repository, and the tasks and languages that are read from it."""

    repository: Repository
    tasks: Mapping[str, HubTask]

    def read(self, task: str, language: str, split: Split) -> tuple[Located, ...]:
        """The rows of one split."""
        wanted = self.tasks[task]
        word = wanted.languages[language]
        only = Only(str(wanted.columns["language"]), word) if "language" in wanted.columns else None
        if split not in wanted.there():
            there = ", ".join(wanted.there())
            raise DataError(f"{self.repository.id}: no {split} rows of {task} in {language}; there are {there}")
        if wanted.files:
            table = self.repository.file(wanted.files[split].replace("{language}", word))
        else:
            config = wanted.config if only else (wanted.config or "{language}").replace("{language}", word)
            table = self.repository.split(config, wanted.splits.get(split, split))
        return located(table, wanted, only)


@SOURCES.register
class Hub:
    """Dataset repositories, each at one commit; a split is fetched when its rows are first asked for."""

    Options = HubOptions

    def __init__(self, options: str | Mapping[str, Any] | list[Any]) -> None:
        is_list = isinstance(options, list)
        if isinstance(options, str):
            options = [name.strip() for name in options.split(",")]
        several = options if isinstance(options, list) else [options]
        self._parts: dict[tuple[str, str], Part] = {}
        for i, each in enumerate(several):
            self._add(_part(_options(each, ("hub", i) if is_list or len(several) > 1 else ("hub",))))
        self._rows: dict[tuple[str, str, Split], tuple[Located, ...]] = {}

    def tasks(self) -> dict[str, TaskKind]:
        """The tasks that the scenario describes, with their kinds."""
        return {task: part.tasks[task].kind for (task, _), part in sorted(self._parts.items(), key=lambda p: p[0])}

    def languages(self, task: str) -> tuple[str, ...]:
        """The languages that the scenario gives a task, sorted."""
        if task not in self.tasks():
            raise unknown("task", task, self.tasks())
        return tuple(sorted(language for name, language in self._parts if name == task))

    def splits(self, task: str, language: str) -> tuple[Split, ...]:
        """The splits that the task's mapping says there are."""
        if language not in self.languages(task):
            raise unknown(f"language of task {task}", language, self.languages(task))
        return self._parts[task, language].tasks[task].there()

    def labels(self, task: str) -> tuple[str, ...]:
        """The labels that the task's mapping names, if it does; else those of all training rows in all languages.

        An evaluation row with another label is an error.
        """
        languages = self.languages(task)
        if self.tasks()[task] in (TaskKind.CHOICE, TaskKind.SPAN):
            return ()
        declared = [self._parts[task, language].tasks[task].declared() for language in languages]
        if all(declared):
            return tuple(sorted({label for some in declared for label in some}))
        rows = {(at, split): self._read(task, at, split) for at in languages for split in self.splits(task, at)}
        train = {
            label
            for (_, split), some in rows.items()
            if split == "train"
            for row in some
            for label in labels_of(row.example)
        }
        tested = (some for (_, split), some in rows.items() if split != "train")
        refuse(problem for some in tested for problem in labels_never_trained(train, some))
        return tuple(sorted(train))

    def examples(self, task: str, language: str, split: Split, version: int = 1) -> tuple[AnyExample, ...]:
        """Every row of one split; a commit holds one edition, so there is no version 2."""
        self.splits(task, language)
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        if version != 1:
            name = self._parts[task, language].repository.id
            raise DataError(f"{name}: no version {version}; one commit is one edition, so ask for version 1")
        return tuple(row.example for row in self._read(task, language, split))

    def _read(self, task: str, language: str, split: Split) -> tuple[Located, ...]:
        key = (task, language, split)
        if key not in self._rows:
            self._rows[key] = self._parts[task, language].read(task, language, split)
        return self._rows[key]

    def _add(self, part: Part) -> None:
        """Put the tasks and languages of one more repository beside the others."""
        for task, wanted in part.tasks.items():
            kind = self.tasks().get(task, wanted.kind)
            if kind is not wanted.kind:
                raise DataError(f"hub: {task} is a {kind} task, but a {wanted.kind} task in {part.repository.id}")
            for language in wanted.languages:
                if (task, language) in self._parts:
                    both = f"{self._parts[task, language].repository.id} and {part.repository.id}"
                    raise DataError(f"hub: {task}/{language} is in {both}; leave it out of one with languages: [...]")
                self._parts[task, language] = part


def _options(said: object, place: Place) -> HubOptions:
    """Options as they were written, with what they take from a ready-made mapping."""
    if isinstance(said, str):
        said = {"mapping": said}
    name = said.get("mapping") if isinstance(said, Mapping) else None
    if isinstance(said, Mapping) and isinstance(name, str):
        taken = ready(name)
        if "id" in said:
            taken.pop("revision", None)  # a commit of another repository
        said = taken | dict(said)
    try:
        options = HubOptions.model_validate(said)
    except ValidationError as error:
        raise misunderstood(place, error, HubOptions) from None
    for field in ("id", "tasks"):
        if not getattr(options, field):
            text = "missing; add it, or name a ready-made mapping (mapping: NAME)"
            raise OptionsError([((*place, field), text)])
    return options


def _part(options: HubOptions) -> Part:
    """The repository, and its tasks in the languages that are asked for."""
    repository = Repository.at(options.id, options.revision)
    if options.languages is None:
        return Part(repository, options.tasks)
    known = {language for task in options.tasks.values() for language in task.languages}
    for language in options.languages:
        if language not in known:
            raise DataError(f"hub.languages: {unknown('language', language, known)}")
    kept = {
        name: {language: word for language, word in task.languages.items() if language in options.languages}
        for name, task in options.tasks.items()
    }
    tasks = {name: options.tasks[name].model_copy(update={"languages": some}) for name, some in kept.items() if some}
    return Part(repository, tasks)
