"""The table of a run on real rows: every strategy's score at the horizon beside the majority class, and what it cost.

adapeff-sim run real_data --data FOLDER
python benchmarks/real_data.py runs/real_data --data FOLDER > docs/measurements/real_data.md
"""

import argparse
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from adapeff_sim.data.examples import ChoiceExample, PairExample, TextExample
from adapeff_sim.data.files import Files
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.results import Results, read
from adapeff_sim.run_folder import RunFolder

POINTS = 100


def main() -> None:
    """Print the tables as Markdown."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("run", type=Path, help="the folder of a finished run")
    asked.add_argument("--data", type=Path, required=True, help="the folder of rows that it was run on")
    said = asked.parse_args()
    results = read(said.run)
    source = Files(said.data)
    print("\n".join([*_head(results), "", *_quality(results, source), "", *_effort(results, said.run)]))


def _head(results: Results) -> Iterator[str]:
    facts, found = results.facts, results.environment
    yield "# Real rows: every strategy of `real_data`"
    yield ""
    yield f"{facts.description}"
    yield ""
    yield f"Device: {found['device']}, {found['threads']} threads, {found['precision']}; seeds {list(facts.seeds)}."
    yield f"Packages: {found['packages']}."
    yield "Rows: sources and licences are those of the folder given with `--data`; none of it is in this project."


def _quality(results: Results, source: Files) -> Iterator[str]:
    """Points at the horizon for every endpoint; zero-shot endpoints are marked."""
    labels = results.facts.labels
    last = {(p.endpoint, p.label): p for p in results.quality if p.until == results.facts.terms.horizon_days}
    yield "## Score at the horizon, in points (mean over seeds)"
    yield ""
    yield f"| endpoint | metric | majority class | {' | '.join(labels)} |"
    yield f"|---|---|---|{'---|' * len(labels)}"
    for endpoint in sorted({endpoint for endpoint, _ in last}):
        metric = next(p.metric for (e, _), p in last.items() if e == endpoint)
        cells = (_mean(results, endpoint, label) for label in labels)
        yield f"| {endpoint} | {metric} | {_majority(source, endpoint)} | {' | '.join(cells)} |"


def _mean(results: Results, endpoint: str, label: str) -> str:
    end = results.facts.terms.horizon_days
    found = [p.score for p in results.quality if (p.endpoint, p.label, p.until) == (endpoint, label, end)]
    scores = [score for score in found if score is not None]
    return f"{POINTS * statistics.fmean(scores):.1f}" if scores and len(scores) == len(found) else "unavailable"


def _majority(source: Files, endpoint: str) -> str:
    """Accuracy on the test rows of always giving the most frequent training label; an entity F1 of that is 0."""
    task, language = endpoint.split("/")
    languages = [language] if (source.folder / task / language / "train.jsonl").is_file() else source.languages(task)
    train = [row for name in languages for row in source.examples(task, name, "train")]
    test = source.examples(task, language, "test")
    if not isinstance(test[0], TextExample | PairExample | ChoiceExample):
        return "0.0"
    known = Counter(row.label for row in train if isinstance(row, TextExample | PairExample | ChoiceExample))
    (label, _), *_ = known.most_common(1)
    right = sum(row.label == label for row in test if isinstance(row, TextExample | PairExample | ChoiceExample))
    return f"{POINTS * right / len(test):.1f}"


def _effort(results: Results, folder: Path) -> Iterator[str]:
    """What each strategy's trainings took, as charged to it."""
    jobs = [r for r in RunFolder(folder).read_ledger().of(JobRecord) if r.job == "build"]
    yield "## What it took"
    yield ""
    columns = (
        "strategy",
        "trainings",
        "steps",
        "train s",
        "validate s",
        "PFLOP",
        "nominal PFLOP (6ND)",
        "not converged",
    )
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for label in results.facts.labels:
        mine = [job for job in jobs if job.label == label]
        names = ("train_steps", "train_seconds", "validate_seconds", "train_flops", "nominal_train_flops")
        steps, train, validate, flops, nominal = (sum(job.usage.get(name, 0.0) for job in mine) for name in names)
        short = sum(job.converged is False for job in mine)
        figures = f"{steps:,.0f} | {train:,.0f} | {validate:,.0f} | {flops / 1e15:.3f} | {nominal / 1e15:.3f}"
        yield f"| {label} | {len(mine)} | {figures} | {short} of {len(mine)} |"
    yield ""
    yield "Trainings that several strategies share were done once and are charged to each."


if __name__ == "__main__":
    main()
