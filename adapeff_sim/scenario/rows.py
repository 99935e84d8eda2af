"""Whether the data sources have what the story asks of them: tasks, languages, rows to train on and to test with."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from adapeff_sim.data.base import DataSource
from adapeff_sim.data.examples import Split
from adapeff_sim.data.options import OptionsError
from adapeff_sim.data.overlap import overlap
from adapeff_sim.data.survey import sole_label, told
from adapeff_sim.errors import AdapeffError, DataError
from adapeff_sim.execution.sources import Sources, short
from adapeff_sim.lifecycle.world import Endpoint, TestSet
from adapeff_sim.near_names import suggestion
from adapeff_sim.scenario.entries import SAFE_NAME
from adapeff_sim.scenario.problems import Place, Problem
from adapeff_sim.scenario.replay import Moment
from adapeff_sim.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class Need:
    """Rows that an event asks for: of which source (by its whole name), endpoint, split and edition, and how many."""

    source: str
    is_own: bool
    endpoint: Endpoint
    split: Split
    version: int = 1
    rows: int | None = None  # None: whatever there is


def check_rows(scenario: Scenario, moments: Iterable[Moment]) -> Iterator[Problem]:
    """What the sources do not have, each at the event that first asks for it; nothing, where no source is named."""
    looker = _Looker(scenario, Sources(scenario.data, Path()))
    wrong = False
    moments = list(moments)
    for moment in moments:
        for problem in looker.look(moment, [need for need in needs(scenario, moment) if need not in looker.asked]):
            wrong = wrong or not problem.is_warning
            yield problem
    if not wrong:
        yield from trained_tests(moments, looker.all, {need.endpoint for need in looker.asked if need.source})


def trained_tests(moments: Iterable[Moment], sources: Sources, endpoints: set[Endpoint]) -> Iterator[Problem]:
    """A warning for each endpoint that is tested on rows it may be trained on, at the event that first does so."""
    looked: set[tuple[Endpoint, str, TestSet]] = set()
    for moment in moments:
        for endpoint, test in moment.after.test_sets.items():
            rows = moment.after.datasets.get(endpoint)
            if endpoint not in endpoints or rows is None or (endpoint, rows.source, test) in looked:
                continue
            looked.add((endpoint, rows.source, test))
            if not sources.data and not (rows.source and test.source):
                continue  # the rows come with a flag, another time
            if sources.stated(rows.source) or sources.stated(test.source):
                continue  # nobody can compare rows that are not here
            train = sources.source(rows.source).examples(*endpoint, "train")
            found = overlap("test", sources.test_rows(endpoint, test), "train", train)
            if found:
                text = f"{told(str(endpoint), found)}; scores on them say little, draw others"
                yield Problem(moment.place, text, is_warning=True)


def needs(scenario: Scenario, moment: Moment) -> Iterator[Need]:
    """All that an event asks of the sources: new test sets, and new rows to train with and to stop by."""
    before, after = moment.before, moment.after
    for endpoint in after.traffic:
        if not all(SAFE_NAME.fullmatch(name) for name in endpoint):
            continue  # told of already
        test, rows = after.test_sets[endpoint], after.datasets.get(endpoint)
        if endpoint not in before.traffic or before.test_sets.get(endpoint) != test:
            yield Need(test.source or scenario.data, not test.source, endpoint, "test", test.version)
        if rows and before.datasets.get(endpoint) != rows:
            source = (rows.source or scenario.data, not rows.source)
            yield Need(*source, endpoint, "train", rows=rows.rows)
            yield Need(*source, endpoint, "validation")


@dataclass(slots=True)
class _Looker:
    """Opens every source once, and asks every question once."""

    scenario: Scenario
    all: Sources
    sources: dict[str, DataSource | None] = field(default_factory=dict)  # None: it could not be opened
    asked: set[Need] = field(default_factory=set)
    tasks: set[tuple[str, str]] = field(default_factory=set)  # of which source, whose name was looked up
    labelled: set[tuple[str, str]] = field(default_factory=set)  # of which source, whose labels were looked at
    told: set[str] = field(default_factory=set)  # what the sources themselves said is wrong with them

    def look(self, moment: Moment, found: list[Need]) -> Iterator[Problem]:
        """All that the sources lack for one event, one problem for each of its keys."""
        self.asked |= set(found)
        for need in found:
            if need.source and need.source not in self.sources:
                yield from self._open(moment, need)
        served = [need for need in found if self.sources.get(need.source)]
        try:
            yield from self._unknown_tasks(moment, served)
            known = [n for n in served if n.endpoint.task in self._source(n).tasks()]
            yield from self._unknown_languages(moment, known)
            there = [n for n in known if n.endpoint.language in self._source(n).languages(n.endpoint.task)]
            for need in there:
                yield from self._labels(moment, need)
        except DataError as error:
            yield from self._once(moment.place, error)
            return
        yield from self._too_few(moment, there)

    def _once(self, place: Place, error: AdapeffError) -> Iterator[Problem]:
        """The lines of an error that were not told before: every event asks the same source, and is told the same."""
        new = [line for line in str(error).splitlines() if line not in self.told]
        self.told.update(new)
        return (Problem(place, line) for line in new)

    def _open(self, moment: Moment, need: Need) -> Iterator[Problem]:
        place: Place = ("data",) if need.is_own else moment.key("source")
        self.sources[need.source] = None
        try:
            opened = self.all.source(need.source)
            dict(opened.tasks())  # what is wrong with all of it is told here, and not again by every event
            self.sources[need.source] = opened
        except OptionsError as error:
            yield from (Problem((*place, *at), text) for at, text in error.problems)
        except AdapeffError as error:
            yield from self._once(place, error)
        except (TypeError, ValueError):  # an argument too many, too few, or of another shape
            kind, _, argument = need.source.partition(":")
            text = "does not take such an argument; see its documentation" if argument else "needs an argument"
            yield Problem(place, f"data source {kind} {text}" + ("" if argument else f"; write {{{kind}: ...}}"))

    def _source(self, need: Need) -> DataSource:
        source = self.sources[need.source]
        assert source is not None  # only needs of open sources are looked at
        return source

    def _unknown_tasks(self, moment: Moment, found: list[Need]) -> Iterator[Problem]:
        for name, task in dict.fromkeys((n.source, n.endpoint.task) for n in found):
            known = self.all.source(name).tasks()
            if task not in known and (name, task) not in self.tasks:
                self.tasks.add((name, task))
                place = moment.key("tasks", "task")
                yield Problem(place, f"{short(name)} has no task {task!r}; {suggestion(task, known, 'it has')}")

    def _unknown_languages(self, moment: Moment, found: list[Need]) -> Iterator[Problem]:
        lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
        for need in found:
            task, language = need.endpoint
            if language not in self._source(need).languages(task) and task not in lacking[need.source, language]:
                lacking[need.source, language].append(task)
        for (name, language), tasks in lacking.items():
            if tasks:
                hint = suggestion(language, self.all.source(name).languages(tasks[0]), "it has")
                place = moment.key("languages", "language", "tasks")
                yield Problem(place, f"{short(name)} has no {' and no '.join(tasks)} in {language!r}; {hint}")

    def _labels(self, moment: Moment, need: Need) -> Iterator[Problem]:
        """Every label that is tested was trained, and another source's rows are of the task that heads are made for."""
        name, task = need.source, need.endpoint.task
        if (name, task) in self.labelled:
            return
        self.labelled.add((name, task))
        other = self._source(need)
        labels, kind = other.labels(task), other.tasks()[task]
        if warning := sole_label(task, kind, labels):
            yield Problem(moment.place, warning, is_warning=True)
        own = self.sources.get(self.scenario.data)
        if need.is_own or not own or task not in own.tasks():
            return
        if own.tasks()[task] is not kind:
            text = f"{task} is a {kind} task in {short(name)}, but a {own.tasks()[task]} task before"
            yield Problem(moment.key("source"), f"{text}; name a source with rows of the same kind")
        elif strange := sorted(set(labels) - set(own.labels(task))):
            here = short(self.scenario.data)
            text = f"{short(name)} has {task} rows with label {strange[0]!r}, which {here} does not know"
            yield Problem(moment.key("source"), f"{text}; use the same labels in both")

    def _too_few(self, moment: Moment, found: list[Need]) -> Iterator[Problem]:
        """Splits without rows, and fewer rows than are asked for."""
        lacking: dict[tuple[str, int], list[tuple[int, Endpoint]]] = defaultdict(list)
        for need in found:
            try:
                there = self.all.count(need.endpoint, need.split, need.source, need.version)
            except DataError as error:
                place = moment.key("test_set") if need.version > 1 else moment.place
                yield from self._once(place, error)
                continue
            if not there:
                yield Problem(
                    moment.place, f"{short(need.source)} has no {need.split} rows of {need.endpoint}; add some"
                )
            elif need.rows is not None and need.rows > there:
                lacking[need.source, need.rows].append((there, need.endpoint))
        for (name, rows), few in lacking.items():
            have = ", ".join(f"{there} of {endpoint}" for there, endpoint in few)
            fix = f"ask for at most {min(few)[0]} in all"
            text = f"{rows} labelled rows are asked for, but {short(name)} has {have}; {fix}"
            yield Problem(moment.key("labelled", "add"), text)
