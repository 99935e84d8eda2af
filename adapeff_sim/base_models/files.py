"""What the folder of a base model must hold, what identifies it, what it weighs; nothing of it is run (no torch)."""

import functools
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from adapeff_sim.errors import DataError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)
SLOW = ("vocab.txt", "vocab.json", "spm.model", "spiece.model", "sentencepiece.bpe.model")
PICKLED = "pytorch_model*.bin"
DIGEST_DIGITS = 32
LARGEST_HEADER_BYTES = 100_000_000  # the format's own limit
NO_PARAMETERS = ("I64", "BOOL")  # position numbers and masks are stored beside the parameters
TO_SAFETENSORS = "save it once with model.save_pretrained(FOLDER, safe_serialization=True) of transformers"
TO_FAST = "save it once with AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER) of transformers"


def files_of(folder: Path) -> list[Path]:
    """Config, tokenizer and weights, sorted by name; DataError for what is missing."""
    needed = f"a base model needs config.json, tokenizer.json and {WEIGHTS}"
    if not (folder / "config.json").is_file():
        raise DataError(f"{folder}: no config.json; {needed}")
    if not (folder / "tokenizer.json").is_file():
        slow = next(
            (f"; {name} alone is no fast tokenizer: {TO_FAST}" for name in SLOW if (folder / name).is_file()), ""
        )
        raise DataError(f"{folder}: no tokenizer.json; {needed}{slow}")
    weights = _weights(folder)
    names = ["config.json", *(name for name in TOKENIZER if (folder / name).is_file()), *weights]
    return [folder / name for name in sorted(names)]


def _weights(folder: Path) -> list[str]:
    """One file of weights, or an index and the parts it names, which must lie beside it."""
    if (folder / WEIGHTS).is_file():
        return [WEIGHTS]
    if not (folder / INDEX).is_file():
        pickled = "pytorch_model.bin is a pickle, and none is loaded: " if any(folder.glob(PICKLED)) else ""
        raise DataError(f"{folder}: no {WEIGHTS}; {pickled}{TO_SAFETENSORS}")
    parts = json_object(folder / INDEX).get("weight_map")
    names = sorted({str(name) for name in parts.values()}) if isinstance(parts, dict) else []
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors") or not (folder / name).is_file():
            raise DataError(f"{folder / INDEX}: part {name[:80]!r} is not in this folder; fetch the model again")
    if not names:
        raise DataError(f"{folder / INDEX}: names no part; fetch the model again")
    return [INDEX, *names]


def settings_of(folder: Path) -> dict[str, Any]:
    """What config.json says; DataError where it or the tokenizer's settings ask for code of the model's own."""
    for name in ("config.json", "tokenizer_config.json"):
        if (folder / name).is_file() and "auto_map" in json_object(folder / name):
            raise DataError(f"{folder / name}: auto_map asks for code of the model's own; give a model without")
    return json_object(folder / "config.json")


def json_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; DataError for anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not readable as JSON ({str(error)[:80]}); fetch the model again") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: a JSON {type(found).__name__}, not an object; fetch the model again")
    return found


def digest_of(files: list[Path]) -> str:
    """One digest of the names and contents of files, in their order."""
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name} {file_digest(path)}\n".encode())
    return total.hexdigest()[:DIGEST_DIGITS]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, read once for each size and time of change that it has."""
    stat = path.stat()
    return _file_digest(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _file_digest(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001  (they tell an edited file apart)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parameters_in(path: Path) -> int:
    """The elements that a safetensors file stores, from its header; DataError if the file is cut short or too long."""
    header, end = _header(path)
    total = 0
    last = 0
    try:
        for name, tensor in header.items():
            if name != "__metadata__":
                last = max(last, int(tensor["data_offsets"][1]))
                total += 0 if tensor["dtype"] in NO_PARAMETERS else math.prod(int(size) for size in tensor["shape"])
    except (KeyError, TypeError, ValueError, IndexError):
        raise DataError(f"{path}: a tensor without shape or place in the header; fetch the file again") from None
    size = path.stat().st_size
    if end + last != size:
        raise DataError(f"{path}: {size} bytes, but its header tells of {end + last}; fetch the file again")
    return total


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file (eight bytes of length, then JSON) and where the tensors begin."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LARGEST_HEADER_BYTES):
            raise DataError(f"{path}: {size} bytes, cut short or no safetensors file; fetch the file again")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            header = None
    if not isinstance(header, dict):
        raise DataError(f"{path}: its header is no JSON object; fetch the file again")
    return header, 8 + length
