"""`adapeff-sim report`: show finished runs again, from their files, on the screen or as a page, pictures and tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapeff_sim.reports.told import Told
    from adapeff_sim.results import Results

FILES = "Files"


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs, or files in them.")],
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A page: curves, what-if sliders, tables.", rich_help_panel=FILES),
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="DIR", help="Every figure.", rich_help_panel=FILES)] = None,
    svg: Annotated[Path | None, typer.Option(metavar="DIR", help="Every figure.", rich_help_panel=FILES)] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Every table, with bare numbers.", rich_help_panel=FILES)
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verdict and tables.", rich_help_panel=FILES)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")] = False,
) -> None:
    r"""Show finished runs again, from their files: what they showed at their end, without training anything.

    With a file or folder to write, that is written instead. Several runs give several reports, a page with all of
    them, and with --json a list.

    \b
    Examples:
      adapeff-sim report runs/smoke
      adapeff-sim report runs/smoke --html page.html
      adapeff-sim report runs/smoke runs/new_language --html both.html
      adapeff-sim report runs/smoke --json | jq .verdict.sentences
    """
    from adapeff_sim.cli.targets import require_targets
    from adapeff_sim.results import read
    from adapeff_sim.run_folder import called, folder_of

    wanted = {"html": html, "png": png, "svg": svg, "csv": csv, "markdown": markdown}
    targets = {kind: target for kind, target in wanted.items() if target is not None}
    if targets:
        require_targets({"--html": html, "--markdown": markdown}, {"--png": png, "--svg": svg, "--csv": csv})
        _write(runs, targets, is_alone=not json)
    if json or not targets:
        _show([(read(folder_of(run)), called(run)) for run in runs], json)


def _write(runs: list[Path], targets: dict[str, Path], is_alone: bool) -> None:
    """Write what is asked for, and say what was written; beside JSON nothing else is said."""
    from rich.console import Console

    from adapeff_sim.cli.finished import finished
    from adapeff_sim.reports.base import FILES as REPORTS
    from adapeff_sim.reports.wording import plain, plural

    told = [finished(run) for run in runs]
    for kind, target in targets.items():
        files = REPORTS.get(kind)(told, target)
        size = sum(file.stat().st_size for file in files)
        count = "" if files == [target] else f", {plural(len(files), 'file')}"
        if is_alone:
            Console().print(
                f"{plain(target)}{count}, {size / 1e6:.1f} MB", markup=False, highlight=False, soft_wrap=True
            )
            if kind in ("png", "svg"):
                _say_left_out(told)


def _say_left_out(told: "Sequence[Told]") -> None:
    """Which figures were not drawn, run by run, and why."""
    from rich.console import Console

    from adapeff_sim.reports.pictures import left_out
    from adapeff_sim.reports.wording import plain

    for run in told:
        if names := left_out(run):
            said = f"{plain(run.results.facts.name)}: not drawn, as there are no scores: {', '.join(names)}"
            Console().print(said, markup=False, highlight=False, soft_wrap=True)


def _show(found: "list[tuple[Results, Path]]", as_json: bool) -> None:
    """Tell every run on stdout; several as JSON are one list."""
    from adapeff_sim.reports.base import show

    if not as_json or len(found) == 1:
        for results, folder in found:
            show(results, folder, as_json=as_json)
        return
    typer.echo("[" + ",\n".join(results.model_dump_json(indent=1) for results, _ in found) + "]")
