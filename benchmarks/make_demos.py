"""Makes the finished runs that travel with the package: runs the scenarios anew, or takes runs that are there.

python benchmarks/make_demos.py                       # about 15 minutes a scenario on two cores
python benchmarks/make_demos.py runs/new_language     # copies this run, if it was measured in one go
python benchmarks/make_demos.py --derive              # results.json of those that are there, from ledger and price book

A run is taken only where it is finished, where everything in it was measured, none of it lost to a kill, and its
results follow from its ledger. What tells of the machine that made it is left out, but for its processor and versions.
"""

import argparse
import getpass
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapeff_sim.costs.base import price_ledger
from adapeff_sim.costs.prices import Prices
from adapeff_sim.demos import HERE, demos
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.playback import playback
from adapeff_sim.results import Results, read, results_of
from adapeff_sim.run_folder import RESULTS, Run, RunFolder
from adapeff_sim.scenario.load import loads
from adapeff_sim.scenario.price_books import load_prices

SCENARIOS = ("new_language", "base_model_update", "teaching/who_is_validated")
NAMES = tuple(scenario.rpartition("/")[2] for scenario in SCENARIOS)
COPIED = ("run.json", "scenario.yaml", "ledger.jsonl")
MOST_BYTES = 700_000
FOLDERS = re.compile(r"(?<![\w.:/])/(?:[\w.-]+/)*[\w.-]{2,}|[A-Za-z]:\\")  # whole paths
KERNEL = re.compile(r"^([A-Za-z]+)-.*?-((?:x86_64|amd64|aarch64|arm64).*)$")


def main() -> None:
    """Make, copy or derive, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=Path, help="finished runs; without any, all scenarios are run")
    parser.add_argument("--derive", action="store_true", help="results.json of the demos anew from their ledgers")
    asked = parser.parse_args()
    if asked.derive:
        for name in demos():
            folder = HERE / name
            keep(folder, derived(read(folder), RunFolder(folder).read_ledger()))
        return
    with tempfile.TemporaryDirectory() as place:
        for run in asked.runs or (made(scenario, Path(place)) for scenario in SCENARIOS):
            take(run)


def made(scenario: str, place: Path) -> Path:
    """A new run of a shipped scenario; its store is empty, so that nothing is reused."""
    name = scenario.rpartition("/")[2]
    out = place / name
    command = [sys.executable, "-m", "adapeff_sim", "run", scenario, "--store", str(place / f"store-{name}")]
    subprocess.run([*command, "--out", str(out), "--device", "cpu", "--quiet"], check=True)
    return out


def take(run: Path) -> None:
    """Copy what a demo needs of a run; the program ends where the run is no good for that."""
    folder, name = RunFolder(run), read(run).facts.name
    ledger = folder.read_ledger()
    results = derived(read(run), ledger)
    if wrong := [*faults(run, name, ledger), *told_of_machine(run, results)]:
        sys.exit("\n".join([f"{run} is not taken:", *wrong]))
    (HERE / name).mkdir(parents=True, exist_ok=True)
    for file in COPIED:
        (HERE / name / file).write_bytes((run / file).read_bytes())
    keep(HERE / name, results)


def derived(results: Results, ledger: Ledger) -> Results:
    """The results as they follow from the ledger, told of no kernel, and with the price book as it tells of itself."""
    facts, prices = results.facts, present(results.prices)
    environment = dict(results.environment)
    environment["platform"] = KERNEL.sub(r"\1-\2", str(environment["platform"]))
    return results_of(facts, ledger, prices, price_ledger(ledger, prices, facts.terms), environment)


def present(prices: Prices) -> Prices:
    """The shipped book of that name where it asks the same prices; the program ends where it asks others."""
    book = load_prices(prices.name)
    if asks(book) != asks(prices):
        sys.exit(f"{prices.name} asks other prices than the run; make the run anew")
    return book


def asks(prices: Prices) -> dict[str, Any]:
    """A price book without what says where its prices come from."""
    return prices.model_dump(exclude={name: {"date", "source", "assumption"} for name in Prices.model_fields})


def keep(folder: Path, results: Results) -> None:
    """Write the results, and the environment that they tell of, in few bytes."""
    (folder / RESULTS).write_text(results.model_dump_json() + "\n", encoding="utf-8")
    RunFolder(folder).write_environment(results.environment)
    size = sum(file.stat().st_size for file in folder.iterdir())
    if size > MOST_BYTES:
        sys.exit(f"{folder}: {size:,} bytes; a demo may have {MOST_BYTES:,}")
    print(f"{folder.name}: {size:,} bytes")


def faults(run: Path, name: str, ledger: Ledger) -> Iterator[str]:
    """Why a run was not measured in one go, or does not tell its own story."""
    if name not in NAMES:
        yield f"its scenario is {name}; demos are of {', '.join(NAMES)}"
    if not Run.model_validate_json((run / "run.json").read_text(encoding="utf-8")).finished:
        yield "it is not finished"
    others: dict[str, int] = {}
    for record in ledger.records:
        provenance = getattr(record, "provenance", "measured")
        if provenance != "measured":
            others[provenance] = others.get(provenance, 0) + 1
    if others:
        yield f"not everything was measured: {others}"
    if any(usage_of(record).get("lost_seconds") for record in ledger.records):
        yield "it was killed on the way, and did some work twice"
    if not playback(loads((run / "scenario.yaml").read_text(encoding="utf-8")), ledger).tells(ledger):
        yield "accounting for it anew gives another ledger"


def usage_of(record: Any) -> dict[str, float]:
    found: dict[str, float] = getattr(record, "usage", {})
    return found


def told_of_machine(run: Path, results: Results) -> Iterator[str]:
    """What in the files tells of the machine that made them: its name, its user, a folder of its."""
    texts = {file: (run / file).read_text(encoding="utf-8") for file in COPIED} | {RESULTS: results.model_dump_json()}
    for file, text in texts.items():
        names = {socket.gethostname(), getpass.getuser(), str(Path.home())} - {"root", "/root", "localhost"}
        yield from (f"{file} names {name}" for name in names if re.search(rf"\b{re.escape(name)}\b", text))
        yield from (f"{file} names a folder: {found}" for found in sorted(set(FOLDERS.findall(text))))


if __name__ == "__main__":
    main()
