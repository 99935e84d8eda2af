"""A whole run, for whoever asks for one: a scenario is lived through, priced, and written to the run's folder.

scenario -> orders, executor -> simulation -> ledger -> prices -> results -> files
"""

import platform
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.costs.prices import Prices, same_device
from adapeff_sim.estimates import basis, calibrated, require_trainable
from adapeff_sim.estimation.assumptions import Assumption
from adapeff_sim.estimation.calibration import Calibration
from adapeff_sim.execution.base import EXECUTORS, News
from adapeff_sim.execution.machine import Machine, packages
from adapeff_sim.execution.orders import Orders
from adapeff_sim.execution.sources import Sources
from adapeff_sim.execution.store import Store
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.planning.plan import Evaluate, Make
from adapeff_sim.projection.target import Target
from adapeff_sim.results import EventMark, Facts, Results, results_of, write
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.scenario.fit import require_precision
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.scenario.project_to import ProjectTo
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.space import require_space
from adapeff_sim.simulation import Finished, Simulation, Unfolded

Watch = Callable[[News | Unfolded | Finished], None]
Watching = Callable[[Simulation, Prices, Facts], AbstractContextManager[Watch]]


@contextmanager
def nobody_watching(simulation: Simulation, prices: Prices, facts: Facts) -> Iterator[Watch]:  # noqa: ARG001
    """Takes all news, and tells nobody."""
    yield lambda _: None


def conduct(
    scenario: Scenario,
    machine: Machine,
    store: Path,
    out: Path,
    watching: Watching = nobody_watching,
) -> Results:
    """Do all that a scenario asks for and write the run's folder ``out``; ``watching`` is told how it goes.

    Raises AdapeffError: before anything is done where another process runs in ``out`` or the disk has no room, later
    where a job cannot be done. What was done before that stays in the store, and the same call goes on from there.
    """
    require_trainable(scenario)
    prices, facts = load_prices(scenario.prices), facts_of(scenario, _of_target(scenario, store, machine))
    sources = Sources(scenario.data, Path())
    orders = Orders(scenario.settings, sources, machine)
    simulation = Simulation(scenario.strategies, scenario.seeds, scenario.events, orders)
    folder, kept = RunFolder(out), Store(store)
    require_precision(scenario, machine.precision)
    kept.prepare()
    require_space(scenario, store, in_store(kept, orders))
    with folder.alone():
        begun = folder.begin(scenario.as_yaml(), _said_of(machine))
        executor = EXECUTORS.get("local")(machine=machine, sources=sources, store=kept, run=begun.name)
        with watching(simulation, prices, facts) as watch:
            ledger = simulation.run(executor, watch)
        found = environment(scenario, machine, ledger, tested(simulation, sources), based(simulation, sources))
        results = results_of(facts, ledger, prices, price_ledger(ledger, prices, facts.terms), found)
        folder.write_ledger(ledger)
        folder.write_environment(found)
        write(results, out)
        folder.end(begun)
    return results


def conduct_estimate(
    scenario: Scenario, store: Path, out: Path, learn_from: Path | None = None, watching: Watching = nobody_watching
) -> Results:
    """The same run from closed forms, into the same files: nothing is trained, and ``store`` is not written to.

    Raises AdapeffError where another process runs in ``out``, and where rows or models cannot be had.
    """
    prices, folder = load_prices(scenario.prices), RunFolder(out)
    with folder.alone():
        begun = folder.begin(scenario.as_yaml(), {"executor": "estimate"})
        found = estimated(scenario, prices, store, learn_from, watching)
        folder.write_ledger(found.ledger)
        folder.write_environment(found.results.environment)
        write(found.results, out)
        folder.end(begun)
    return found.results


@dataclass(frozen=True, slots=True)
class Estimated:
    """A life that was priced without training, and what that rests on."""

    results: Results
    ledger: Ledger
    assumptions: tuple[Assumption, ...]


def estimated(
    scenario: Scenario,
    prices: Prices,
    store: Path,
    learn_from: Path | None = None,
    watching: Watching = nobody_watching,
) -> Estimated:
    """A scenario lived through and priced from closed forms; no file is written.

    Raises AdapeffError where rows or models cannot be had. Where nobody knows how fast the priced device is, its
    seconds are unavailable.
    """
    rests_on = basis(scenario, prices, store, learn_from)
    machine, sources = rests_on.machine, Sources(scenario.data, Path())
    facts = facts_of(scenario, _of_target(scenario, store, machine))
    simulation = Simulation(
        scenario.strategies, scenario.seeds, scenario.events, Orders(rests_on.settings, sources, machine)
    )
    with watching(simulation, prices, facts) as watch:
        ledger = simulation.run(rests_on.executor(sources), watch)
    found = environment(scenario, machine, ledger, tested(simulation, sources), based(simulation, sources))
    found["executor"] = "estimate"
    if not isinstance(rests_on.pace, Calibration):  # an assumed rate is of no threads and no precision
        found |= {"threads": None, "precision": None}
    found["assumptions"] = [each.model_dump() for each in rests_on.assumptions()]
    results = results_of(facts, ledger, prices, price_ledger(ledger, prices, facts.terms), found)
    return Estimated(results, ledger, rests_on.assumptions())


def in_store(store: Store, orders: Orders) -> Callable[[str, int, Artifact], bool]:
    """Tells of a training, by label and seed, whether the store has it."""
    return lambda label, seed, artifact: store.holds(orders(label, seed, 0.0, Make(artifact)).key)


def facts_of(scenario: Scenario, known: Calibration | None = None) -> Facts:
    """What results need to know of a scenario; events of all seeds, those of one day in the order of the file.

    ``known`` is a calibration of the device that the scenario projects to.
    """
    found = set()
    for seed in scenario.seeds:
        before, place = -1.0, 0
        for event in scenario.events(seed):
            place = place + 1 if event.day == before else 0
            before = event.day
            found.add((event.day, place, event.headline))
    return Facts(
        name=scenario.name,
        description=scenario.description,
        labels=scenario.labels,
        seeds=scenario.seeds,
        terms=terms_of(scenario),
        quality_floor=scenario.quality_floor,
        project_to=None if scenario.project_to is None else target_of(scenario.project_to, known),
        events=tuple(EventMark(day=day, text=text) for day, _, text in sorted(found)),
        gpus=scenario.gpus,
    )


def _of_target(scenario: Scenario, store: Path, machine: Machine) -> Calibration | None:
    """The calibration of the device that a scenario projects to, done like the run where that is on such a device."""
    if scenario.project_to is None:
        return None
    device = scenario.project_to.device
    precision = machine.precision if same_device(device, machine.name) else "auto"
    return calibrated(store, device, machine.threads, precision)


def target_of(said: ProjectTo, known: Calibration | None) -> Target:
    """The size of production, with rates that were calibrated on its device, or that are stated or assumed."""
    train, answer, source = said.rates
    how = f"calibrated on {known.date} ({known.threads} threads, {known.precision})" if known else source
    return Target(
        base_model=said.base_model,
        encoder=said.encoder,
        examples_per_endpoint=said.examples_per_endpoint,
        validation_examples_per_endpoint=said.validation_examples_per_endpoint,
        test_examples_per_endpoint=said.test_examples_per_endpoint,
        device=known.device if known else said.device,
        trials=said.trials,
        train_flops_per_second=train,
        answer_flops_per_second=answer,
        rates_from=how,
        is_rate_stated=said.flops_per_second is not None,
        calibration=known and known.model_copy(update={"points": ()}),
    )


def terms_of(scenario: Scenario) -> Terms:
    """Under what terms a scenario's ledger is priced."""
    serving = scenario.serving
    return Terms(
        horizon_days=scenario.horizon_days,
        utilisation=serving.busy_at_most,
        utilisation_said="utilisation" in serving.model_fields_set,
        p95_ms=serving.p95_ms,
        max_batch=serving.max_batch,
        placement=serving.placement,
        rollout_hours=serving.rollout_hours,
    )


def tested(simulation: Simulation, sources: Sources) -> dict[str, str]:
    """The content of every test set that was answered, by endpoint and edition."""
    asked = {job for step in simulation.steps() for job in step.plan.jobs if isinstance(job, Evaluate)}
    found = {(job.endpoint, job.test_set): sources.test_digest(job.endpoint, job.test_set) for job in asked}
    return {f"{e} v{t.version}{f' of {t.source}' if t.source else ''}": content for (e, t), content in found.items()}


def based(simulation: Simulation, sources: Sources) -> dict[str, JsonValue]:
    """What every base model of the timeline was, by the name that the scenario gives it."""
    specs = dict.fromkeys(step.world.base_model for step in simulation.steps())
    found = {spec: sources.release(spec) for spec in specs}
    return {
        spec: {
            "digest": release.digest,
            "revision": release.revision,
            "encoder": release.encoder,
            "parameters": release.parameters,
            "stored_bytes": release.stored_bytes,
        }
        for spec, release in found.items()
    }


def environment(
    scenario: Scenario, machine: Machine, ledger: Ledger, tests: Mapping[str, str], bases: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """With what the run was done: device, versions, and the content of models and rows, for every seed that there was.

    ``fetched`` has all keys under which a source was fetched: seeds draw different rows from one data set.
    """
    fetched: dict[str, set[str]] = defaultdict(set)
    for job in ledger.of(JobRecord):
        if job.job == "fetch":
            fetched[f"{job.slot} {job.fingerprint}"].add(job.key)
    return {
        "device": machine.name,
        "threads": machine.threads,
        "precision": machine.precision,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(packages()),
        "base_models": dict(bases),
        "data": scenario.data,
        "fetched": {source: [*sorted(keys)] for source, keys in sorted(fetched.items())},
        "test_sets": dict(sorted(tests.items())),
    }


def _said_of(machine: Machine) -> dict[str, str]:
    return {"device": machine.name, "precision": machine.precision, "threads": str(machine.threads)}
