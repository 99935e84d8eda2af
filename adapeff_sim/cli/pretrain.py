"""`adapeff-sim pretrain`: make a small base model from a folder of plain text."""

import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from adapeff_sim.reports.wording import plain
from adapeff_sim.scenario.problems import COMMAND_LINE, Problem, Problems
from adapeff_sim.scenario.words import in_words

if TYPE_CHECKING:
    from pydantic import ValidationError

    from adapeff_sim.training.pretrain import Progress, Tell
    from adapeff_sim.training.pretraining_settings import PretrainSettings

PLAIN_LINE_SECONDS = 30.0


def pretrain(
    text: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Folder of <language>.txt and <language>.dev.txt to check with, a sentence a line."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write the base model to.")],
    minutes: Annotated[float | None, typer.Option(help="Train this long; this or --tokens is needed.")] = None,
    tokens: Annotated[int | None, typer.Option(help="Train on so many pieces of text; this or --minutes.")] = None,
    init_from: Annotated[Path | None, typer.Option(help="A base model to train on from.", exists=True)] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in OUT.")] = False,
    layers: Annotated[int, typer.Option(help="Transformer layers.")] = 4,
    hidden: Annotated[int, typer.Option(help="Width of a layer; a multiple of twice the heads.")] = 256,
    heads: Annotated[int, typer.Option(help="Attention heads in a layer.")] = 4,
    vocabulary: Annotated[int, typer.Option(help="Word pieces to learn.")] = 16_000,
    learning_rate: Annotated[float, typer.Option(help="The highest, after warming up.")] = 6e-4,
    threads: Annotated[int, typer.Option(help="CPU threads; their number changes the last bits.")] = 1,
    seed: Annotated[int, typer.Option(help="Drives order, masking and initialisation.")] = 13,
) -> None:
    r"""Make a small multilingual base model: vocabulary, starting embeddings, masked language modelling.

    Beside each <language>.txt lies a <language>.dev.txt: lines that are never learnt from, on which it is checked.

    \b
    Example:
      adapeff-sim pretrain --text sentences/ --out my_model/ --minutes 30
    """
    size = {"layers": layers, "hidden": hidden, "heads": heads, "vocabulary": vocabulary}
    work = {"minutes": minutes, "tokens": tokens, "learning_rate": learning_rate, "threads": threads, "seed": seed}
    places = {"text": text, "out": out, "init_from": init_from, "resume": resume}
    settings = settings_of(places | size | work)
    require_possible(settings)
    from adapeff_sim.training.pretrain import pretrain as train  # torch, which takes seconds, only now

    console = Console()
    with _told(console) as tell:
        report = train(settings, tell)
    console.print(_guessing(report))
    told = plain(f"{report['tokens_seen']} pieces in {report['steps']} steps; the base model lies in {out}")
    console.print(told, markup=False, highlight=False, soft_wrap=True)


def settings_of(said: dict[str, Any]) -> "PretrainSettings":
    """What the options ask for. Raises Problems for what cannot be."""
    from pydantic import ValidationError

    from adapeff_sim.training.pretraining_settings import PretrainSettings

    try:
        return PretrainSettings(**said)
    except ValidationError as error:
        raise refused_options(error, said) from error


def require_possible(settings: "PretrainSettings") -> None:
    """Refuse, before anything is learnt, what this machine, the text or the folder cannot do.

    Raises DataError for text that will not do, Problems for a model too large or a folder that cannot be written.
    """
    from adapeff_sim.execution.machine import memory_bytes
    from adapeff_sim.reports.wording import size
    from adapeff_sim.training.tokenizer import require_text
    from adapeff_sim.whole_files import NAME_SHOWN, cannot_hold

    needed, there = settings.bytes_needed, memory_bytes()
    if settings.init_from is None and needed > there:
        text = f"training a model of this size takes about {size(needed)} of memory, and {size(there)} are there"
        raise Problems(COMMAND_LINE, [Problem(("--hidden",), f"{text}; give fewer or narrower --layers")])
    require_text(settings.text)
    if wrong := cannot_hold(settings.out):
        text = f"{str(settings.out)[:NAME_SHOWN]}: {wrong}; give another folder, or allow it"
        raise Problems(COMMAND_LINE, [Problem(("--out",), text)])


def _guessing(report: Mapping[str, Any]) -> Table:
    """How well each language is guessed: perplexity before the first step and now, beside what frequencies give."""
    table = Table(title="Perplexity on held-back lines", title_justify="left", box=box.HORIZONTALS)
    for name in ("language", "piece frequencies", "at the start", "now"):
        table.add_column(name, justify="left" if name == "language" else "right")
    at_start = report["held_back_at_start"] or {}
    for language, now in sorted(report["held_back"].items()):
        before = at_start.get(language)
        told = f"{before['perplexity']:,.0f}" if before else "unavailable"
        frequencies = math.exp(now["unigram_cross_entropy"])
        table.add_row(plain(language), f"{frequencies:,.0f}", told, f"{now['perplexity']:,.0f}")
    return table


def refused_options(error: "ValidationError", said: dict[str, Any]) -> Problems:
    """What is wrong with the options, each by its name on the command line, and what would do."""
    from adapeff_sim.training.pretraining_settings import PretrainSettings

    told = in_words(error, PretrainSettings, said)
    options = (((f"--{place[0]}".replace("_", "-"),) if place else (), text) for place, text in told)
    return Problems(COMMAND_LINE, [Problem(option, text) for option, text in options])


@contextmanager
def _told(console: Console) -> "Iterator[Tell]":
    """A moving bar on a terminal, and a line now and then anywhere else."""
    if not console.is_terminal:
        yield _PlainLines()
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with ProgressBar(*columns, TimeElapsedColumn(), console=console) as bar:
        row = bar.add_task("starting", total=1.0)

        def tell(progress: "Progress") -> None:
            bar.update(row, description=described(progress), completed=progress.share_done)

        yield tell


class _PlainLines:
    """One line whenever something else is done, and every half minute."""

    def __init__(self) -> None:
        self._doing, self._shown_seconds = "", 0.0

    def __call__(self, progress: "Progress") -> None:
        if progress.doing == self._doing and progress.seconds - self._shown_seconds < PLAIN_LINE_SECONDS:
            return
        self._doing, self._shown_seconds = progress.doing, progress.seconds
        sys.stdout.write(described(progress) + "\n")
        sys.stdout.flush()


def described(progress: "Progress") -> str:
    """Progress in one line: what is done, how far, how fast, how long still, how well."""
    parts = [progress.doing]
    if progress.steps:
        parts.append(f"step {progress.steps}, {progress.tokens / 1e6:.2f} M pieces")
    if progress.tokens_per_second is not None:
        parts.append(f"{progress.tokens_per_second:.0f} pieces/s")
    if progress.remaining_seconds is not None:
        parts.append(f"{progress.remaining_seconds / 60:.0f} min left")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.2f}")
    return ", ".join(parts)
