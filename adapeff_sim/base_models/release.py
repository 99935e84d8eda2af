"""Base-model releases: where their files lie, what identifies them, what they weigh; nothing of them is run.

``adapeff-mini:v1`` is shipped in the package, ``path:FOLDER`` lies on this machine, and ``hub:owner/name@<commit>`` is
fetched from the Hugging Face hub. After new weights are shipped, their digests are written down again by
``python -c "from adapeff_sim.base_models.release import renew_digests; renew_digests()"``.
"""

import difflib
import functools
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapeff_sim.errors import DataError

SHIPPED = Path(__file__).parent
DIGESTS = "digests.json"
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
FETCHED = ["config.json", *TOKENIZER, WEIGHTS, "model-*.safetensors", INDEX]
HUB_SPEC = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)@([0-9a-f]{40})")
DIGEST_DIGITS = 32
LARGEST_HEADER_BYTES = 100_000_000  # the format's own limit
NO_PARAMETERS = ("I64", "BOOL")  # position numbers and masks are stored beside the parameters
HIDDEN_SIZE = ("hidden_size", "d_model", "dim", "n_embd")
LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")
NO_SHAPE = re.compile(
    r"_.*|architectures|transformers_version|(torch_)?dtype|.*_token_id|.*dropout.*|.*_drop|initializer_.*|id2label|label2id"
    r"|num_labels|problem_type|finetuning_task|task_specific_params|.*_eps|use_cache|output_.*|return_dict|name.*"
    r"|gradient_checkpointing"
)


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a base model: its files and their identity, its shape and its size."""

    spec: str
    folder: Path
    revision: str | None  # the commit, for a release from the hub
    digest: str  # of weights, config.json and tokenizer: other bytes, another base model
    architecture: (
        str  # digest of the settings in config.json that decide shapes: equal for releases of one architecture
    )
    stored_bytes: int  # weights, config.json and tokenizer
    hidden_size: int
    layers: int
    parameters: int  # elements stored as weights


def shipped() -> tuple[str, ...]:
    """The releases in this package, as ``name:version``, sorted."""
    return tuple(sorted(f"{c.parent.parent.name}:{c.parent.name}" for c in SHIPPED.glob("*/*/config.json")))


def resolve(spec: str) -> Release:
    """The release that a scenario names, its files checked; DataError if it is not there, not whole or not safe."""
    scheme, _, rest = spec.partition(":")
    if scheme == "path":
        return _release(spec, _given_folder(rest), None)
    if scheme == "hub":
        repository, revision = _hub_parts(spec, rest)
        return _release(spec, _snapshot(repository, revision), revision)
    if spec not in shipped():
        raise _unknown(spec)
    release = _release(spec, SHIPPED / scheme / rest, None)
    wanted = _written_digests().get(spec)
    if wanted != release.digest:
        fix = "install the package again, or run renew_digests() if you trained new weights"
        raise DataError(f"base model {spec}: its files have digest {release.digest}, not {wanted}; {fix}")
    return release


def renew_digests() -> Path:
    """Write down the digests of all shipped releases as they are now; for whoever ships new weights."""
    found = {spec: _release(spec, SHIPPED.joinpath(*spec.split(":")), None).digest for spec in shipped()}
    path = SHIPPED / DIGESTS
    path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def _written_digests() -> Mapping[str, str]:
    path = SHIPPED / DIGESTS
    return _json_object(path) if path.is_file() else {}


def _unknown(spec: str) -> DataError:
    near = difflib.get_close_matches(spec[:80], shipped(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return DataError(
        f"unknown base model {spec[:80]!r}; {hint}shipped: {', '.join(shipped()) or 'none'}; "
        "or give path:FOLDER or hub:owner/name@COMMIT"
    )


def _given_folder(name: str) -> Path:
    folder = Path(name).expanduser()
    if not name.strip() or not folder.is_dir():
        raise DataError(f"base model path:{name[:200]!r}: no such folder; give one with config.json and {WEIGHTS}")
    return folder.resolve()


def _hub_parts(spec: str, rest: str) -> tuple[str, str]:
    match = HUB_SPEC.fullmatch(rest)
    if not match:
        raise DataError(f"base model {spec[:120]!r}: give hub:owner/name@COMMIT, with all 40 digits of the commit")
    return match[1], match[2]


def _snapshot(repository: str, revision: str) -> Path:
    """The folder of a repository's files at a commit: the copy in the hub's cache if that is whole, or fetched now."""
    from huggingface_hub import constants, snapshot_download  # slow to import

    spec = f"base model hub:{repository}@{revision[:8]}…"
    try:
        folder = Path(snapshot_download(repository, revision=revision, local_files_only=True))
        _files(folder)
        return folder
    except (OSError, ValueError, DataError) as error:  # not in the cache, or not all of it
        if constants.HF_HUB_OFFLINE:
            raise DataError(f"{spec}: not whole in the cache, and HF_HUB_OFFLINE is set; unset it to fetch") from error
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=FETCHED))
    except Exception as error:  # whatever the network or the hub says
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{spec}: could not be fetched ({type(error).__name__}: {reason}); check name and net"
        ) from error


def _release(spec: str, folder: Path, revision: str | None) -> Release:
    files = _files(folder)
    settings = _json_object(folder / "config.json")
    for name in ("config.json", "tokenizer_config.json"):
        if (folder / name).is_file() and "auto_map" in _json_object(folder / name):
            raise DataError(f"{folder / name}: auto_map asks for code of the model's own; give a model without")
    return Release(
        spec=spec,
        folder=folder,
        revision=revision,
        digest=_digest_of(files),
        architecture=_architecture(settings),
        stored_bytes=sum(path.stat().st_size for path in files),
        hidden_size=_number(folder, settings, HIDDEN_SIZE),
        layers=_number(folder, settings, LAYERS),
        parameters=sum(_parameters(path) for path in files if path.suffix == ".safetensors"),
    )


def _files(folder: Path) -> list[Path]:
    """Config, tokenizer and weights, sorted by name; DataError for what is missing."""
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise DataError(f"{folder}: no {name}; a base model needs config.json, tokenizer.json and {WEIGHTS}")
    weights = _weight_files(folder)
    names = ["config.json", *(name for name in TOKENIZER if (folder / name).is_file()), *weights]
    return [folder / name for name in sorted(names)]


def _weight_files(folder: Path) -> list[str]:
    """One file of weights, or an index and the parts it names, which must lie beside it."""
    if (folder / WEIGHTS).is_file():
        return [WEIGHTS]
    if not (folder / INDEX).is_file():
        raise DataError(f"{folder}: no {WEIGHTS}; save the model with safe_serialization=True (no pickle is loaded)")
    parts = _json_object(folder / INDEX).get("weight_map")
    names = sorted({str(name) for name in parts.values()}) if isinstance(parts, dict) else []
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors") or not (folder / name).is_file():
            raise DataError(f"{folder / INDEX}: part {name[:80]!r} is not in this folder; fetch the model again")
    if not names:
        raise DataError(f"{folder / INDEX}: names no part; fetch the model again")
    return [INDEX, *names]


def _json_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not readable as JSON ({str(error)[:80]}); fetch the model again") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: a JSON {type(found).__name__}, not an object; fetch the model again")
    return found


def _number(folder: Path, settings: Mapping[str, Any], names: tuple[str, ...]) -> int:
    for name in names:
        if type(settings.get(name)) is int and settings[name] > 0:
            return int(settings[name])
    raise DataError(f"{folder / 'config.json'}: no {names[0]} (nor {', '.join(names[1:])}); give an encoder's config")


def _architecture(settings: Mapping[str, Any]) -> str:
    shape = {name: value for name, value in settings.items() if not NO_SHAPE.fullmatch(name)}
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:DIGEST_DIGITS]


def _digest_of(files: list[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        stat = path.stat()
        total.update(f"{path.name} {_file_digest(path, stat.st_size, stat.st_mtime_ns)}\n".encode())
    return total.hexdigest()[:DIGEST_DIGITS]


@functools.lru_cache(maxsize=1024)
def _file_digest(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001  (they tell an edited file apart)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parameters(path: Path) -> int:
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
