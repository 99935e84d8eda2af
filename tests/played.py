"""A finished run of a scenario, with results and ledger, for what is told from them: reckoned, and nothing trained."""

import functools
from collections.abc import Sequence
from pathlib import Path

from finished_run import folder_with
from story import Reckoner, falls, order_of

from adapeff_sim.conduct import facts_of
from adapeff_sim.costs.base import price_ledger
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.results import Results, results_of
from adapeff_sim.scenario.load import loads
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.simulation import Simulation

TEXT = """\
name: story
horizon_days: 120
seeds: [13, 14]
data: helpdesk
timeline:
  - {day: 0, event: launch, base_model: "mini:v1", tasks: {intent: [en, de]}, labelled: 150, requests_per_day: 90}
  - {day: 20, event: task_arrival, task: sentiment, languages: [en], labelled: 100, requests_per_day: 50}
  - {day: 30, event: traffic_change, requests_per_day: 500}
  - {day: 40, event: dataset_refresh, task: intent, languages: [de], add: 50, test_set: true}
  - {day: 40, event: new_language, language: sw, labelled: 0, requests_per_day: 10}
  - {day: 60, event: base_model_update, base_model: "mini:v2"}
  - {day: 90, event: task_retirement, task: sentiment}
strategies:
  - adapter_per_task
  - {adapter_per_task: {on_base_update: carry_over, may_fall: 2}, as: carried}
  - adapter_fusion
  - {multitask_full: {update: continue}, as: continued}
prices: laptop_cpu
"""
EVENTS = 7
ROLLED_OUT = TEXT.replace("prices:", "serving: {rollout_hours: 24}\nprices:").replace(
    "  - {day: 90,", '  - {day: 60, event: base_model_update, base_model: "mini:v3"}\n  - {day: 90,'
)  # and two models on one day


@functools.cache
def lived(text: str = TEXT) -> tuple[Scenario, Results, Ledger]:
    """What a scenario came to; whatever is carried to another base model falls."""
    scenario = loads(text)
    simulation = Simulation(scenario.strategies, scenario.seeds, scenario.events, order_of)
    ledger = simulation.run(Reckoner(falls), lambda news: None)
    facts, book = facts_of(scenario), load_prices(scenario.prices)
    return scenario, results_of(facts, ledger, book, price_ledger(ledger, book, facts.terms), {}), ledger


def folder_of_life(folder: Path, text: str = TEXT, without: Sequence[str] = ()) -> Path:
    """The files of that run, but for some."""
    scenario, results, ledger = lived(text)
    folder_with(folder, results, ledger, scenario.as_yaml())
    for name in without:
        (folder / name).unlink()
    return folder
