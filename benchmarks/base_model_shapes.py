"""Which shape a small base model should have: short runs of pre-training, alike but for shape and vocabulary.

    python benchmarks/base_model_shapes.py --text TEXT --data ROWS --report docs/measurements/shapes.md

TEXT is a folder for ``adapeff-sim pretrain``, ROWS holds ``<task>/<language>/{train,test}.jsonl``. Losses of different
vocabularies are not comparable, since a piece of one is two of the other. What is compared is what the frozen states
know after the same operations: logistic regression on the mean state of each text's pieces finds the topic of the test
rows. The first shape sees so many pieces as --tokens says, the others as many as take as many operations, so that it
does not matter what else the machine does. Results are kept one by one in --out; the same command goes on.
"""

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import torch
from kept import Kept
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tokenizers import Tokenizer
from transformers import XLMRobertaModel

from adapeff_sim.data.examples import TextExample
from adapeff_sim.data.files import Files
from adapeff_sim.training.pretrain import pretrain
from adapeff_sim.training.pretraining_settings import PretrainSettings

SHAPES = ((4, 256, 4, 16_000), (6, 256, 4, 12_000), (2, 320, 4, 16_000), (4, 192, 4, 24_000), (4, 320, 4, 8_000))
TASK = "topic"
LANGUAGES = ("en", "sw", "hi")
STRENGTHS = (1e-3, 1e-2, 1e-1)  # inverse regularisation; the best one on held-back training rows is taken
LONGEST = 96
OF_A_SENTENCE = 1 / 20  # of its places is <s>, which goes through the output layer beside the masked ones, about


def main() -> None:
    """Train and probe what is left, print the table."""
    asked = _parse()
    kept = Kept(asked.out)
    conditions = {"tokens": asked.tokens, "threads": asked.threads, "torch": torch.__version__}
    found = {tuple(row["shape"]): row for row in kept.under(conditions)}
    for shape in SHAPES:
        if shape not in found:
            found[shape] = _measure(shape, asked)
            kept.add(conditions, found[shape])
            print(found[shape], flush=True)
    text = "\n".join(_table(asked, list(found.values()))) + "\n"
    print(text)
    if asked.report:
        asked.report.write_text(text, encoding="utf-8")


def _measure(shape: tuple[int, int, int, int], asked: argparse.Namespace) -> dict[str, object]:
    """Pre-train one shape, and ask its frozen states."""
    layers, hidden, heads, vocabulary = shape
    with tempfile.TemporaryDirectory() as folder:
        settings = PretrainSettings(
            text=asked.text,
            out=Path(folder),
            tokens=round(asked.tokens * operations(SHAPES[0]) / operations(shape)),
            threads=asked.threads,
            layers=layers,
            hidden=hidden,
            heads=heads,
            vocabulary=vocabulary,
            warm_up_steps=100,
        )
        before = time.process_time()
        told = pretrain(settings, lambda _: None)
        busy = time.process_time() - before
        weights = (Path(folder) / "model.safetensors").stat().st_size
        scores = {language: _score(Path(folder), asked.data, language) for language in LANGUAGES}
    held_back = told["held_back"]
    below = statistics.fmean(v["unigram_cross_entropy"] - v["mlm_loss"] for v in held_back.values())  # type: ignore[attr-defined]
    return {
        "shape": shape,
        "bytes": weights,
        "tokens": told["tokens_seen"],
        "steps": told["steps"],
        "processor_seconds": round(busy),
        "below_frequencies": below,
        "scores": scores,
    }


def operations(shape: tuple[int, int, int, int]) -> float:
    """Of one piece in training, by Kaplan et al. (2020): 6 for each weight of encoder and output layer."""
    layers, hidden, _, vocabulary = shape
    through_output = PretrainSettings.model_fields["masked_share"].default + OF_A_SENTENCE
    return 6 * (12 * layers * hidden**2 + through_output * vocabulary * hidden)


def _score(folder: Path, data: Path, language: str) -> float:
    """The share of test rows whose topic logistic regression finds in the frozen states, 0 to 1."""
    model = XLMRobertaModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    source = Files(data)
    train, test = (_rows(source, language, split) for split in ("train", "test"))
    states = _states(model, tokenizer, [row.text for row in train])
    labels = [row.label for row in train]
    part = len(labels) * 4 // 5
    tried = {c: _fit(states[:part], labels[:part], c).score(states[part:], labels[part:]) for c in STRENGTHS}
    best = max(STRENGTHS, key=lambda c: tried[c])
    asked = _states(model, tokenizer, [row.text for row in test])
    return float(_fit(states, labels, best).score(asked, [row.label for row in test]))


def _rows(source: Files, language: str, split: str) -> list[TextExample]:
    rows = source.examples(TASK, language, split)  # type: ignore[arg-type]
    return [row for row in rows if isinstance(row, TextExample)]


def _fit(states: torch.Tensor, labels: list[str], strength: float):  # type: ignore[no-untyped-def]
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000)).fit(states, labels)


@torch.no_grad()
def _states(model: XLMRobertaModel, tokenizer: Tokenizer, texts: list[str]) -> torch.Tensor:
    """The mean state of each text's pieces in the last layer: (texts, hidden)."""
    found = []
    for text in texts:
        pieces = torch.tensor([tokenizer.encode(text).ids[:LONGEST]])
        found.append(model(pieces).last_hidden_state[0].mean(0))
    return torch.stack(found)


def _table(asked: argparse.Namespace, rows: list[dict]) -> list[str]:  # type: ignore[type-arg]
    budget = asked.tokens * operations(SHAPES[0]) / 1e12
    lines = [
        "# Shapes of a small base model",
        "",
        f"Made by `benchmarks/base_model_shapes.py` on {datetime.now(UTC):%Y-%m-%d}: {budget:.1f} T operations of",
        f"pre-training each, {asked.threads} thread(s), bf16, one seed. Topics found by logistic regression on the",
        f"frozen mean states, in points of {TASK} test rows (one standard error is about 3.5 points in each language).",
        "Seconds are the processor's, beside other work.",
        "",
        "| layers x hidden, vocabulary | MB | pieces seen | processor s | nats below frequencies "
        f"| {' | '.join(LANGUAGES)} | mean |",
        f"|---|---|---|---|---|{'---|' * len(LANGUAGES)}---|",
    ]
    for row in rows:
        layers, hidden, _, vocabulary = row["shape"]
        scores = [100 * row["scores"][language] for language in LANGUAGES]
        cells = [f"{layers} x {hidden}, {vocabulary:,}", f"{row['bytes'] / 1e6:.1f}", f"{row['tokens'] / 1e6:.2f} M"]
        cells += [f"{row['processor_seconds']}", f"{row['below_frequencies']:.2f}"]
        cells += [f"{score:.1f}" for score in (*scores, statistics.fmean(scores))]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=600_000, help="pieces that the first shape sees")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/shapes.jsonl"), help="where results are kept")
    parser.add_argument("--report", type=Path, help="a Markdown file for the table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
