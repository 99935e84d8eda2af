"""Options that several verbs have, each written once: of the scenario, of the machine, and of where things are kept."""

from typing import Annotated

import typer

TRAINING, RESULTS, CHANGES = "Training", "Results", "Other than the file says"  # panels of the help

ScenarioFile = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A scenario's YAML file, or a shipped one's name.")
]
Strategies = Annotated[
    str | None, typer.Option(metavar="A,B", help="Only these strategies, by label.", rich_help_panel=CHANGES)
]
Seeds = Annotated[str | None, typer.Option(metavar="N|13,14", help="So many seeds, or these.", rich_help_panel=CHANGES)]
Data = Annotated[
    str | None,
    typer.Option(metavar="SOURCE", help="helpdesk, a folder, or a ready-made mapping.", rich_help_panel=CHANGES),
]
PriceBook = Annotated[
    str | None,
    typer.Option(metavar="NAME|FILE", help="A price book, such as on_prem, or a .yaml file.", rich_help_panel=CHANGES),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask no hub; read what is in its caches.", rich_help_panel=CHANGES)
]
Device = Annotated[
    str, typer.Option(metavar="auto|cpu|cuda", help="auto takes a GPU if there is one.", rich_help_panel=TRAINING)
]
Executor = Annotated[
    str, typer.Option(metavar="local|estimate", help="estimate trains nothing: closed forms.", rich_help_panel=TRAINING)
]
LearnFrom = Annotated[
    str | None,
    typer.Option(metavar="RUN", help="Estimate with the epochs that this run took.", rich_help_panel=TRAINING),
]
Threads = Annotated[
    int | None, typer.Option(metavar="N", help="CPU threads. All cores, if not said.", rich_help_panel=TRAINING)
]
Store = Annotated[
    str, typer.Option(envvar="ADAPEFF_STORE", metavar="DIR", help="Keeps what was trained.", rich_help_panel=TRAINING)
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress; warnings and the report.", rich_help_panel=RESULTS)
]
STORE = ".adapeff/store"
