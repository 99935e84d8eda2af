"""Results of a long measurement, one JSON line each: whoever gives the same command again goes on where it stopped."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Kept:
    """A file of results that is only added to; each line says under which conditions it was measured.

    Only results of the same conditions are given back. A line that a kill left half written is cut off.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        if file.is_file() and not (content := file.read_bytes()).endswith(b"\n"):
            file.write_bytes(content[: content.rfind(b"\n") + 1])

    def under(self, conditions: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """The results that were measured under these conditions, oldest first."""
        wanted = json.loads(json.dumps(conditions))
        for line in self.file.read_text(encoding="utf-8").splitlines() if self.file.is_file() else ():
            row = json.loads(line)
            if row.pop("conditions") == wanted:
                yield row

    def add(self, conditions: Mapping[str, object], result: Mapping[str, object]) -> None:
        """Keep one result."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"conditions": conditions, **result}) + "\n")
