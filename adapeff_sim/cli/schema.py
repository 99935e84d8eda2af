"""`adapeff-sim schema`: the format of scenarios, for editors."""

import sys


def schema() -> None:
    r"""Print the JSON Schema of scenario files, with every event and strategy that is there.

    Editors that know the line `# yaml-language-server: $schema=schema.json` complete and check a scenario with it.

    \b
    Example:
      adapeff-sim schema > schema.json
    """
    from adapeff_sim.scenario.json_schema import schema_text

    sys.stdout.write(schema_text())
