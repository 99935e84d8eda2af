"""Rows in Parquet are read through the datasets library, which knows of torch, and must come without it."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import write_table

CODE = """
import contextlib, io, json, sys
from adapeff_sim.cli.app import app
sys.argv = ["adapeff-sim", "data", "typed"]
with contextlib.redirect_stdout(io.StringIO()) as shown:
    try:
        app()
    except SystemExit as end:
        assert not end.code
print(json.dumps([shown.getvalue(), sorted({"datasets", "torch", "transformers", "adapters"} & set(sys.modules))]))
"""


def test_rows_in_parquet_are_looked_at_without_torch(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        file = tmp_path / "typed" / "mood" / "en" / f"{split}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_table(pa.table({"text": [split], "label": ["good"]}), file)
    ended = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stderr
    shown, loaded = json.loads(ended.stdout)
    assert "mood" in shown and loaded == ["datasets"]
