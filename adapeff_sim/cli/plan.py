"""`adapeff-sim plan`: what every event would create, rebuild, keep and retire, before anything trains."""

import sys
from typing import Annotated

import typer

PIPED_WIDTH = 160  # columns, where nobody has a terminal to break lines


def plan(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A scenario's YAML file, or a shipped one's name.")
    ],
    strategies: Annotated[str | None, typer.Option(metavar="A,B", help="Only these strategies, by label.")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="N|13,14", help="So many seeds, or these.")] = None,
    data: Annotated[str | None, typer.Option(metavar="SOURCE", help="helpdesk, or a folder.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no hub; read what is in its caches.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON, and nothing else.")] = False,
) -> None:
    r"""Show what every event means for every strategy: what is trained, why, and how, without training anything.

    \b
    + created   ~ rebuilt, because of which inputs, reached by which way   = kept   - retired
    ? looked at, before it is known how to go on; both ways are shown

    \b
    Examples:
      adapeff-sim plan new_language
      adapeff-sim plan my.yaml --strategies adapter_fusion --json
    """
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.cli.run import listed, numbers
    from adapeff_sim.scenario.load import load
    from adapeff_sim.scenario.outlook import as_json, outlook

    begin(offline)
    chosen = load(scenario, strategies=listed(strategies), seeds=numbers(seeds), data=data, needs_data=False)
    ahead = outlook(chosen)
    if json:
        sys.stdout.write(as_json(ahead))
        return
    from rich.console import Console

    from adapeff_sim.cli.plan_view import LEGEND, settings_table, totals, tree_of

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    for words in LEGEND:
        console.print(words, markup=False, style="dim")
    console.print()
    for life in ahead.lives:
        console.print(tree_of(ahead, life))
        console.print()
    console.print(settings_table(ahead.lives[0]))
    console.print()
    for life in ahead.lives:
        for said in totals(life):
            console.print(said, markup=False)
