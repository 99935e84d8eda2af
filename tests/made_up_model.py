"""The files of a base model that nobody can run: settings, a tokenizer's name, and weights that are all 0."""

import json
import struct
from pathlib import Path
from typing import Any

SETTINGS = {"model_type": "bert", "hidden_size": 4, "num_hidden_layers": 2, "vocab_size": 3, "_name_or_path": "here"}


def safetensors(path: Path, **shapes: tuple[int, ...]) -> None:
    """A file of zeros with these tensors, as 32-bit floats."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (rows, columns) in shapes.items():
        header[name] = {
            "dtype": "F32",
            "shape": [rows, columns],
            "data_offsets": [end, end := end + 4 * rows * columns],
        }
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


def model(folder: Path, **settings: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(SETTINGS | settings))
    (folder / "tokenizer.json").write_text("{}")
    safetensors(folder / "model.safetensors", embedding=(3, 4), dense=(4, 4))
    return folder
