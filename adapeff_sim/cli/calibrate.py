"""`adapeff-sim calibrate`: how long steps take on this device, so that others can be told without being done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from adapeff_sim.estimation.calibration import Calibration

BUSY = 0.2  # share of the cores that others use, from which on times are not those of a quiet machine
PARTS = {
    "step": "a step",
    "data": "  data, loop",
    "forward": "  forward",
    "backward": "  backward",
    "optimizer": "  optimizer",
    "answering": "a batch answered",
}


def calibrate(
    seconds: Annotated[
        float, typer.Option(min=5, max=3600, metavar="N", help="Time steps for so long; starting comes on top.")
    ] = 120,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="auto takes a GPU if there is one.")] = "auto",
    precision: Annotated[str, typer.Option(metavar="auto|fp32|bf16", help="auto: bf16 on GPUs with it.")] = "auto",
    threads: Annotated[int | None, typer.Option(metavar="N", help="CPU threads. All cores, if not said.")] = None,
    store: Annotated[
        str, typer.Option(envvar="ADAPEFF_STORE", metavar="DIR", help="Kept beside this store.")
    ] = ".adapeff/store",
    show: Annotated[bool, typer.Option("--show", help="Time nothing; show what was kept for this device.")] = False,
    json: Annotated[bool, typer.Option("--json", help="It as JSON on stdout; progress on stderr.")] = False,
) -> None:
    r"""Time real steps of many shapes on this device, and fit rates from which other steps can be told.

    Some shapes are held out: they are timed and not fitted to, and the error on them is what can be expected.

    \b
    Examples:
      adapeff-sim calibrate
      adapeff-sim calibrate --seconds 30 --threads 1
      adapeff-sim calibrate --show --json
    """
    import sys

    from rich.console import Console

    from adapeff_sim.cli.run import folder
    from adapeff_sim.execution.calibrations import calibration_file, keep_calibration, take_calibration
    from adapeff_sim.execution.machine import this_machine

    place, machine = folder("--store", store) or Path(), this_machine(device, precision, threads)
    if show:
        found = _kept(place, machine.name, machine.threads, machine.precision)
    else:
        with _watched(Console(stderr=json, highlight=False)) as tell:
            found = take_calibration(machine, seconds, tell)
        keep_calibration(found, place)
    if json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
        return
    file = calibration_file(place, found.device, found.threads, found.precision)
    _print(found, file, Console(highlight=False))


def _kept(store: Path, device: str, threads: int, precision: str) -> "Calibration":
    """What was kept; CalibrationError if nothing was."""
    from adapeff_sim.execution.calibrations import CalibrationError, kept_calibration

    found = kept_calibration(store, device, threads, precision)
    if found is None:
        told = f"{device}, threads: {threads}, {precision}"
        raise CalibrationError(f"{told}: not calibrated beside {store}; take one with: adapeff-sim calibrate")
    return found


def _print(found: "Calibration", file: Path, console: "Console") -> None:
    from adapeff_sim.reports.wording import line

    console.print(line(f"{found.device}, threads: {found.threads}, {found.precision}, {found.date}", "bold"))
    console.print(table_of(found))
    if found.others_load is not None and found.others_load > BUSY:
        busy = f"The machine was busy (others used {found.others_load:.0%} of it): times are longer than alone,"
        console.print(line(f"{busy} and errors larger. Calibrate again when it is quiet.", "yellow"))
    console.print(line(f"Kept in {file}", "dim"), soft_wrap=True)


def table_of(found: "Calibration") -> "Table":
    """How far the fit is from what was timed, on shapes it saw and on shapes it did not."""
    from adapeff_sim.estimation.fitting import errors, typical
    from adapeff_sim.reports.tables import table

    seen, unseen = errors(found, held_out=False), errors(found, held_out=True)
    heads = ("fitted", "typical", "largest", "held out", "typical", "largest")
    made = table("", *heads, title="How far seconds are from what was timed")
    for part, told in PARTS.items():
        cells = []
        for group in (seen, unseen):
            middle, each = typical(group, part), group.get(part, [])
            cells += [str(len(each)), _percent(middle), _percent(max(map(abs, each), default=None))]
        made.add_row(told, *cells)
    return made


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


@contextmanager
def _watched(console: "Console") -> Iterator[Callable[[float, str], None]]:
    """A bar on a terminal; anywhere else a line for each quarter."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from adapeff_sim.reports.wording import plain

    if not console.is_terminal:
        yield _quarters(console)
        return
    told = TextColumn("{task.description}", markup=False)
    with Progress(
        told, BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(), console=console
    ) as bar:
        row = bar.add_task("starting", total=1.0)
        yield lambda share, name: bar.update(row, completed=share, description=plain(f"timing {name}"))


def _quarters(console: "Console") -> Callable[[float, str], None]:
    said: set[int] = set()

    def tell(share: float, _: str) -> None:
        quarter = int(4 * share)
        if quarter not in said:
            said.add(quarter)
            console.print(f"timing, {25 * quarter} % done", markup=False)

    return tell
