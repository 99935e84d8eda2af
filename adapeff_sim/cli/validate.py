"""`adapeff-sim validate`: everything that is wrong with a scenario, before anything trains."""

from typing import Annotated

import typer

from adapeff_sim.errors import ScenarioError
from adapeff_sim.scenario.schema import Scenario


def validate(
    files: Annotated[
        list[str], typer.Argument(metavar="SCENARIO...", help="Scenario files, or names of shipped scenarios.")
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FOLDER", help="Rows to use: a folder, a data source, or a ready-made mapping."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no hub; read what is in its caches.")] = False,
) -> None:
    r"""Check scenarios: the form of the file, the story day by day, the rows, base models, prices and settings.

    Every problem is told with file, line and what would do; nothing is trained. Exit code 2 if there are any.

    \b
    Examples:
      adapeff-sim validate my_scenario.yaml
      adapeff-sim validate real_data --data ./rows
    """
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.errors import AdapeffError
    from adapeff_sim.scenario.load import load

    begin(offline)
    wrong: list[str] = []
    for file in files:
        try:
            typer.echo(f"OK {file}: {told(load(file, data=data, needs_data=False))}")
        except AdapeffError as error:
            wrong.append(str(error))
    if wrong:
        raise ScenarioError("\n".join(wrong))


def told(scenario: Scenario) -> str:
    """What a scenario holds, in one line."""
    from adapeff_sim.reports.wording import plural
    from adapeff_sim.scenario.outlook import is_open, outlook

    life = outlook(scenario).lives[0]
    alike = "" if len(life.seeds) == len(scenario.seeds) else f" under seed {life.seeds[0]}"
    most = "at most " if is_open(life) else ""
    rows = "" if scenario.data else "; its rows come with --data and were not checked"
    counts = (
        f"{plural(len(life.days), 'event')}{alike}",
        plural(len(scenario.strategies), "strategy", "strategies"),
        plural(len(scenario.seeds), "seed"),
        f"{most}{plural(life.distinct_trainings, 'training')} for each seed",
    )
    return ", ".join(counts) + rows
