"""Base models that are only stated, by a public name or by the numbers of their config.json; no file of them is here.

shape:xlm-roberta-large                                     a name of ``KNOWN``
shape:layers=6,hidden=384,inner=1536,heads=12,vocabulary=250037,positions=514       an encoder of one's own

What is stated can be priced and not trained: its shape decides sizes and operations, weights it has none.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from adapeff_sim.base_models.encoders import ENCODERS
from adapeff_sim.base_models.files import DIGEST_DIGITS, settings_of
from adapeff_sim.base_models.release import Release
from adapeff_sim.base_models.release import resolve as resolve_files
from adapeff_sim.errors import DataError
from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm, encoder_shape
from adapeff_sim.estimation.parameters import FLOAT_BYTES

STATED = "shape:"
PADDING = 1  # the number of the padding piece, behind which some encoders begin to count positions
CONFIG_KEYS = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "inner": "intermediate_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "types": "type_vocab_size",
}
_ROBERTA, _BERT = "xlm-roberta", "bert"
# layers, hidden, inner, heads, vocabulary, positions, types: facts of each model's public config.json
KNOWN: Mapping[str, tuple[str, EncoderShape]] = {
    "bert-base-uncased": (_BERT, EncoderShape(12, 768, 3072, 12, 30522, 512, 2)),
    "bert-large-uncased": (_BERT, EncoderShape(24, 1024, 4096, 16, 30522, 512, 2)),
    "bert-base-multilingual-cased": (_BERT, EncoderShape(12, 768, 3072, 12, 119547, 512, 2)),
    "roberta-base": ("roberta", EncoderShape(12, 768, 3072, 12, 50265, 514, 1)),
    "roberta-large": ("roberta", EncoderShape(24, 1024, 4096, 16, 50265, 514, 1)),
    "xlm-roberta-base": (_ROBERTA, EncoderShape(12, 768, 3072, 12, 250002, 514, 1)),
    "xlm-roberta-large": (_ROBERTA, EncoderShape(24, 1024, 4096, 16, 250002, 514, 1)),
}


def resolve(spec: str) -> Release:
    """The release that a scenario names: stated, or with files that are checked. DataError for one that cannot be."""
    if not is_stated(spec):
        return resolve_files(spec)
    encoder, shape = _stated(spec)
    config = config_of(encoder, shape)
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:DIGEST_DIGITS]
    parameters = shape.embedding_parameters + shape.non_embedding_parameters
    behind = PADDING + 1 if ENCODERS[encoder].counts_behind_padding else 0
    return Release(
        spec=spec,
        folder=Path(),
        revision=None,
        digest=digest,
        architecture=digest,
        stored_bytes=parameters * FLOAT_BYTES,
        hidden_size=shape.hidden,
        layers=shape.layers,
        parameters=parameters,
        encoder=encoder,
        longest=shape.positions - behind,
        inner_size=shape.inner,
    )


def is_stated(spec: str) -> bool:
    """Whether a base model is stated, and has no files."""
    return spec.startswith(STATED)


def config_for(release: Release) -> dict[str, object]:
    """The entries of a release's config.json; of a stated one those that decide its shape."""
    return config_of(*_stated(release.spec)) if is_stated(release.spec) else settings_of(release.folder)


def shape_of(release: Release) -> EncoderShape:
    """The shape of a release's encoder; NoClosedForm for an encoder of a kind that has none."""
    return encoder_shape(config_for(release))


def config_of(encoder: str, shape: EncoderShape) -> dict[str, object]:
    """The entries of config.json that say an encoder's shape."""
    return {"model_type": encoder, **{CONFIG_KEYS[name]: size for name, size in asdict(shape).items()}}


def _stated(spec: str) -> tuple[str, EncoderShape]:
    """Which encoder it is, and its shape."""
    said = spec.removeprefix(STATED).strip()
    if said in KNOWN:
        return KNOWN[said]
    if "=" not in said:
        raise DataError(
            f"base model {spec[:80]!r}: no shape of that name; known are {', '.join(KNOWN)}, or write "
            f"{STATED}layers=6,hidden=384,inner=1536,heads=12,vocabulary=250037,positions=514"
        )
    return _of_numbers(spec, said)


def _of_numbers(spec: str, said: str) -> tuple[str, EncoderShape]:
    pairs = dict(part.strip().partition("=")[::2] for part in said.split(","))
    encoder = pairs.pop("encoder", _ROBERTA)
    names = [field.name for field in fields(EncoderShape)]
    numbers = {name: int(text) if text.isascii() and text.isdigit() else 0 for name, text in pairs.items()}
    numbers.setdefault("types", 1)
    wrong = sorted(numbers.keys() ^ set(names)) or sorted(n for n, size in numbers.items() if not 0 < size < 10**9)
    if wrong:
        raise DataError(
            f"base model {spec[:80]!r}: {wrong[0][:40]!r} is missing, unknown or no whole number above 0; a shape has "
            f"{', '.join(names)} (types: 1, if not said) and encoder"
        )
    shape = EncoderShape(**numbers)
    if shape.hidden % shape.heads:
        raise DataError(f"base model {spec[:80]!r}: hidden must be a multiple of heads; give other numbers")
    try:
        encoder_shape(config_of(encoder, shape))
    except NoClosedForm as error:
        raise DataError(f"base model {spec[:80]!r}: {error}") from None
    return encoder, shape
