"""A whole life priced without a step of training: what an estimate rests on, and the same simulation as any run.

prices or a calibration -> pace    scenario, earlier runs or a table -> epochs    both -> executor `estimate` -> ledger
"""

import datetime
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.costs.prices import DevicePrice, Prices, same_device
from adapeff_sim.data.stated import Stated
from adapeff_sim.errors import ScenarioError
from adapeff_sim.estimation.assumptions import (
    LOAD_BYTES_PER_SECOND,
    LOAD_SOURCE,
    PIECE_BYTES,
    PIECE_SOURCE,
    AssumedPace,
    Assumption,
    Epochs,
    Pace,
    UnknownPace,
    epochs_paid,
)
from adapeff_sim.estimation.calibration import Calibration
from adapeff_sim.estimation.stated import is_stated
from adapeff_sim.execution.base import EXECUTORS, Executor
from adapeff_sim.execution.calibrations import kept_calibrations
from adapeff_sim.execution.machine import Machine, usable_cores
from adapeff_sim.execution.sources import Sources
from adapeff_sim.ledger.trainings import TrainingRow
from adapeff_sim.results import read
from adapeff_sim.run_folder import folder_of
from adapeff_sim.scenario.replay import replay
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.training.settings import TrainingSettings

ONLY_STATED = "price it with `adapeff-sim plan --price` or `run --executor estimate`, or give"


@dataclass(slots=True)
class Basis:
    """All that an estimate rests on; the epochs that were asked for are noted while orders are made."""

    scenario: Scenario
    epochs: Epochs
    pace: Pace
    serving_pace: Pace
    others: tuple[Assumption, ...] = ()
    _asked: dict[str, Assumption] = field(default_factory=dict)
    _guessed: set[tuple[str, int]] = field(default_factory=set)  # trainings, with epochs that nobody knows

    def settings(self, label: str, artifact: Artifact) -> TrainingSettings:
        """The settings of a training, its epochs those that are expected to be paid."""
        told = self.scenario.settings(label, artifact)
        if artifact.kind.is_source or not told.patience:
            return told
        best = self.epochs.best(label, str(artifact.kind))
        self._asked[best.what] = best
        paid = epochs_paid(best.value or 1.0, told.patience, told.epochs)
        if best.provenance == "assumed":
            self._guessed.add((artifact.fingerprint, paid))
        return told.model_copy(update={"epochs": paid})

    @property
    def machine(self) -> Machine:
        """What orders are made for: the device whose pace is taken, as it was calibrated."""
        if isinstance(self.pace, Calibration):
            return Machine("cpu", self.pace.device, self.pace.threads, self.pace.precision)
        return Machine("cpu", self.pace.device, 1, "fp32")

    def executor(self, sources: Sources) -> Executor:
        """Who answers the orders."""
        paces = {"pace": self.pace, "serving_pace": self.serving_pace}
        return EXECUTORS.get("estimate")(sources=sources, **paces, is_guess=self.is_guess)

    def is_guess(self, artifact: Artifact, epochs: int) -> bool:
        """Whether so many epochs of a training are a default, which nobody measured or stated."""
        return (artifact.fingerprint, epochs) in self._guessed

    def assumptions(self) -> tuple[Assumption, ...]:
        """Everything that was taken for granted so far, epochs first."""
        return (*(self._asked[what] for what in sorted(self._asked)), *self.others)


def basis(scenario: Scenario, prices: Prices, store: Path, learn_from: Path | None = None) -> Basis:
    """What an estimate of a scenario rests on; calibrations lie beside ``store``.

    Raises AdapeffError for an earlier run that cannot be read.
    """
    pace, told = _pace("training", prices.compute, store)
    serving_pace, of_serving = _pace("one request", prices.serving, store)
    epochs = Epochs(scenario.estimate.epochs, learnt_from(learn_from) if learn_from else {})
    return Basis(scenario, epochs, pace, serving_pace, (told, of_serving, *_taken_for_granted(scenario)))


def calibrated(store: Path, device: str, threads: int, precision: str = "auto") -> Calibration | None:
    """The calibration of a device that lies beside ``store``: of that precision, then of so many threads, then latest.

    ``auto`` is what a run takes by itself: bf16, but fp32 on CPUs. None where there is none of the device at all.
    """

    def nearness(found: Calibration) -> tuple[bool, bool, datetime.date]:
        usual = "fp32" if same_device("cpu", found.device) else "bf16"
        return found.precision == (usual if precision == "auto" else precision), found.threads == threads, found.date

    fitting = [found for found in kept_calibrations(store) if same_device(device, found.device)]
    return max(fitting, key=nearness, default=None)


def _pace(what: str, price: DevicePrice, store: Path) -> tuple[Pace, Assumption]:
    """The calibration of the priced device that is likest to a run here, else what the price book assumes, if so."""
    if found := calibrated(store, price.device, usable_cores()):
        of = f"calibration of {found.device}, {found.threads} threads, {found.precision}, of {found.date}"
        return found, Assumption(what=f"seconds of {what}", value=None, unit="", provenance="measured", source=of)
    if price.flops_per_second is None:
        of = "no calibration of it is there, and the price book gives no flops_per_second; add it, or run `calibrate`"
        lost = Assumption(what=f"{price.device}, {what}", value=None, unit="", provenance="unavailable", source=of)
        return UnknownPace(price.device), lost
    told = Assumption(
        what=f"{price.device}, {what}",
        value=price.flops_per_second,
        unit="FLOP/s",
        provenance="assumed" if price.assumption else "stated",
        source=price.assumption or "the price book",
    )
    return AssumedPace(price.device, price.flops_per_second, bool(price.assumption)), told


def _taken_for_granted(scenario: Scenario) -> Iterator[Assumption]:
    """What holds for every estimate of this scenario."""
    load = LOAD_BYTES_PER_SECOND
    yield Assumption(what="loading", value=load, unit="bytes/s", provenance="assumed", source=LOAD_SOURCE)
    stated = [Sources(name, Path()).source() for name in sources_named(scenario)]
    if any(isinstance(source, Stated) for source in stated):
        source = "the scenario, data: stated"
        yield Assumption(what="rows and their lengths", value=None, unit="", provenance="stated", source=source)
        size = float(PIECE_BYTES)
        yield Assumption(what="a piece", value=size, unit="bytes", provenance="assumed", source=PIECE_SOURCE)
    if any(is_stated(spec) for spec in models_named(scenario)):
        source = "the scenario, base_model: shape:..."
        yield Assumption(what="shapes of base models", value=None, unit="", provenance="stated", source=source)
    carried = [label for label, s in scenario.strategies.items() if getattr(s, "on_base_update", "") == "carry_over"]
    if carried:
        what = f"what is carried over ({', '.join(carried)}) falls below its tolerance, and is trained again"
        source = "scores are not known; `plan` shows both ways"
        yield Assumption(what=what, value=None, unit="", provenance="assumed", source=source)


def sources_named(scenario: Scenario) -> tuple[str, ...]:
    """Every data source of a scenario, by its whole name."""
    moments, _ = replay(scenario)
    found = {scenario.data} if scenario.data else set()
    for moment in moments:
        found |= {d.source for d in moment.after.datasets.values() if d.source}
        found |= {t.source for t in moment.after.test_sets.values() if t.source}
    return tuple(sorted(found))


def models_named(scenario: Scenario) -> tuple[str, ...]:
    """Every base model of a scenario."""
    moments, _ = replay(scenario)
    return tuple(sorted({moment.after.base_model for moment in moments}))


def require_trainable(scenario: Scenario) -> None:
    """ScenarioError for a scenario whose rows or base models are only stated: nothing can be trained on them."""
    for name in sources_named(scenario):
        if isinstance(Sources(name, Path()).source(), Stated):
            raise ScenarioError(f"{scenario.name}: its rows are only stated, and none is here; {ONLY_STATED} rows.")
    for spec in models_named(scenario):
        if is_stated(spec):
            raise ScenarioError(f"{spec[:80]}: only its shape is stated; {ONLY_STATED} a model with weights.")


def learnt_from(run: Path) -> Mapping[str, Assumption]:
    """The best epochs of an earlier run's trainings, median by kind and by label and kind.

    Raises ResultsError for a folder without finished run, and ScenarioError for one in which nothing was validated.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for row in read(folder_of(run)).trainings:
        if row.provenance in ("measured", "reused") and row.curve:
            for name in (row.kind, f"{row.label} {row.kind}"):
                found[name].append(_best_epoch(row))
    if not found:
        raise ScenarioError(f"{run}: no training of this run was validated, so nothing can be learnt from it.")
    return {
        name: Assumption(
            what=f"best epoch, {' of '.join(reversed(name.split()))}",
            value=statistics.median(epochs),
            unit="epochs",
            provenance="measured",
            source=f"median of {len(epochs)} trainings of {run}",
        )
        for name, epochs in found.items()
    }


def _best_epoch(row: TrainingRow) -> float:
    """The epoch of the best validation; the first validation ends the first epoch."""
    best = max(row.curve, key=lambda point: statistics.fmean(point.scores.values()))
    return best.step / row.curve[0].step
