"""Base-model releases: where their files lie, what identifies them, what they weigh; nothing of them is run.

``adapeff-mini:v1`` is shipped in the package, ``path:FOLDER`` lies on this machine, and ``hub:owner/name@<commit>`` is
fetched from the Hugging Face hub. After new weights are shipped, their digests are written down again by
``python -c "from adapeff_sim.base_models.release import renew_digests; renew_digests()"``.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapeff_sim.base_models.encoders import ENCODERS, encoder_of
from adapeff_sim.base_models.files import (
    DIGEST_DIGITS,
    WEIGHTS,
    digest_of,
    files_of,
    json_object,
    parameters_in,
    settings_of,
)
from adapeff_sim.base_models.hub import snapshot
from adapeff_sim.errors import DataError
from adapeff_sim.near_names import choices

SHIPPED = Path(__file__).parent
DIGESTS = "digests.json"
HUB_SPEC = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)@([0-9a-f]{40})")
HIDDEN_SIZE = ("hidden_size", "d_model", "dim", "n_embd")
POSITIONS, USUAL_POSITIONS = "max_position_embeddings", 512  # what the library takes where it is not said
USUAL_PADDING = 1
INNER_SIZE = ("intermediate_size", "hidden_dim")
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
    encoder: str  # which one: config.json's model_type
    longest: int  # tokens in the longest sequence that it has positions for
    inner_size: int | None = None  # of the feed-forward layers, where config.json says it


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
        return _release(spec, snapshot(repository, revision, files_of, _usable), revision)
    if spec not in shipped():
        raise _unknown(spec)
    release = _release(spec, SHIPPED / scheme / rest, None)
    wanted = _written_digests().get(spec)
    if wanted != release.digest:
        fix = "install the package again, or run renew_digests() if you trained new weights"
        raise DataError(f"base model {spec}: its files have digest {release.digest}, not {wanted}; {fix}")
    return release


def require_unchanged(release: Release) -> None:
    """DataError if the files of a release are not those any more that it was identified by."""
    now = digest_of(files_of(release.folder))
    if now != release.digest:
        raise DataError(
            f"base model {release.spec}: its files were changed while they were in use (digest {now}, not "
            f"{release.digest}); put them back, or start again"
        )


def renew_digests() -> Path:
    """Write down the digests of all shipped releases as they are now; for whoever ships new weights."""
    found = {spec: _release(spec, SHIPPED.joinpath(*spec.split(":")), None).digest for spec in shipped()}
    path = SHIPPED / DIGESTS
    path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def _written_digests() -> Mapping[str, str]:
    path = SHIPPED / DIGESTS
    return json_object(path) if path.is_file() else {}


def _unknown(spec: str) -> DataError:
    other = "give path:FOLDER or hub:owner/name@COMMIT, or shape:NAME for what is priced and not trained"
    return DataError(f"unknown base model {spec[:80]!r}; {choices(spec, shipped(), 'shipped', other=other)}")


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


def _release(spec: str, folder: Path, revision: str | None) -> Release:
    files = files_of(folder)
    settings = _usable(folder)
    return Release(
        spec=spec,
        folder=folder,
        revision=revision,
        digest=digest_of(files),
        architecture=_architecture(settings),
        stored_bytes=sum(path.stat().st_size for path in files),
        hidden_size=_number(folder, settings, HIDDEN_SIZE),
        layers=_number(folder, settings, LAYERS),
        parameters=sum(parameters_in(path) for path in files if path.suffix == ".safetensors"),
        encoder=settings["model_type"],
        longest=_longest(folder, settings),
        inner_size=next((settings[name] for name in INNER_SIZE if type(settings.get(name)) is int), None),
    )


def _usable(folder: Path) -> dict[str, Any]:
    """The settings of an encoder that adapters can be put on; DataError for anything else."""
    settings = settings_of(folder)
    encoder_of(folder / "config.json", settings)
    return settings


def _number(folder: Path, settings: Mapping[str, Any], names: tuple[str, ...]) -> int:
    for name in names:
        if type(settings.get(name)) is int and settings[name] > 0:
            return int(settings[name])
    raise DataError(f"{folder / 'config.json'}: no {names[0]} (nor {', '.join(names[1:])}); give an encoder's config")


def _longest(folder: Path, settings: Mapping[str, Any]) -> int:
    """Positions that are left for text where some begin counting behind the padding piece."""
    behind = ENCODERS[settings["model_type"]].counts_behind_padding
    padding = settings.get("pad_token_id", USUAL_PADDING)
    if behind and type(padding) is not int:
        raise DataError(
            f"{folder / 'config.json'}: pad_token_id is {padding!r}, but positions count behind it; name it"
        )
    found = settings.get(POSITIONS, USUAL_POSITIONS)
    if type(found) is not int or found <= 0:
        raise DataError(f"{folder / 'config.json'}: {POSITIONS} is {str(found)[:40]!r}; give an encoder's config")
    return int(found) - (padding + 1 if behind else 0)


def _architecture(settings: Mapping[str, Any]) -> str:
    shape = {name: value for name, value in settings.items() if not NO_SHAPE.fullmatch(name)}
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:DIGEST_DIGITS]
