"""Base models that are only stated, by a public name or by the numbers of their config.json; no file of them is here.

shape:xlm-roberta-large                                     a name of ``KNOWN``
shape:layers=6,hidden=384,inner=1536,heads=12,vocabulary=250037,positions=514       an encoder of one's own
shape:encoder=deberta-v2,layers=6,...,buckets=128           of another kind, with numbers that only it has

What is stated can be priced and not trained: its shape decides sizes and operations, weights it has none.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from adapeff_sim.base_models.encoders import ENCODERS
from adapeff_sim.base_models.files import DIGEST_DIGITS, settings_of
from adapeff_sim.base_models.release import Release
from adapeff_sim.base_models.release import resolve as resolve_files
from adapeff_sim.errors import DataError
from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm, encoder_shape
from adapeff_sim.estimation.parameters import FLOAT_BYTES
from adapeff_sim.near_names import choices

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
MORE_KEYS: Mapping[str, Mapping[str, str]] = {  # numbers that not every encoder has, and nobody must say
    "albert": {"pieces": "embedding_size", "groups": "num_hidden_groups"},
    "deberta": {"span": "max_relative_positions"},
    "deberta-v2": {
        "span": "max_relative_positions",
        "buckets": "position_buckets",
        "convolution": "conv_kernel_size",
    },
    "electra": {"pieces": "embedding_size"},
}
_DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["c2p", "p2c"],
    "max_relative_positions": -1,
    "position_biased_input": False,
}
COMMON: Mapping[str, Mapping[str, object]] = {  # what the public models of an encoder have in common
    "albert": {"embedding_size": 128, "num_hidden_groups": 1, "inner_group_num": 1},
    "deberta": _DEBERTA,
    "deberta-v2": {**_DEBERTA, "share_att_key": True, "position_buckets": 256, "norm_rel_ebd": "layer_norm"},
    "modernbert": {"attention_bias": False, "mlp_bias": False, "norm_bias": False},
}
TYPES = {"albert": 2, "deberta": 0, "deberta-v2": 0, "modernbert": 0}  # segments, if not said; of all others 1
_ROBERTA, _BERT, _V2, _ELECTRA = "xlm-roberta", "bert", "deberta-v2", "electra"
Stated = tuple[str, Mapping[str, int]]  # an encoder, and its numbers


def _of(encoder: str, *sizes: int, **more: int) -> Stated:
    """Layers, hidden, inner, heads, vocabulary, positions and types, and what only this encoder has."""
    return encoder, {**dict(zip(CONFIG_KEYS, sizes, strict=True)), **more}


KNOWN: Mapping[str, Stated] = {  # facts of each model's public config.json
    "albert-base-v2": _of("albert", 12, 768, 3072, 12, 30000, 512, 2),
    "albert-large-v2": _of("albert", 24, 1024, 4096, 16, 30000, 512, 2),
    "albert-xlarge-v2": _of("albert", 24, 2048, 8192, 16, 30000, 512, 2),
    "bert-base-uncased": _of(_BERT, 12, 768, 3072, 12, 30522, 512, 2),
    "bert-large-uncased": _of(_BERT, 24, 1024, 4096, 16, 30522, 512, 2),
    "bert-base-multilingual-cased": _of(_BERT, 12, 768, 3072, 12, 119547, 512, 2),
    "deberta-base": _of("deberta", 12, 768, 3072, 12, 50265, 512, 0),
    "deberta-large": _of("deberta", 24, 1024, 4096, 16, 50265, 512, 0),
    "deberta-v2-xlarge": _of(_V2, 24, 1536, 6144, 24, 128100, 512, 0, convolution=3),
    "deberta-v3-xsmall": _of(_V2, 12, 384, 1536, 6, 128100, 512, 0),
    "deberta-v3-small": _of(_V2, 6, 768, 3072, 12, 128100, 512, 0),
    "deberta-v3-base": _of(_V2, 12, 768, 3072, 12, 128100, 512, 0),
    "deberta-v3-large": _of(_V2, 24, 1024, 4096, 16, 128100, 512, 0),
    "mdeberta-v3-base": _of(_V2, 12, 768, 3072, 12, 251000, 512, 0),
    "distilbert-base-uncased": _of("distilbert", 6, 768, 3072, 12, 30522, 512, 1),
    "electra-small-discriminator": _of(_ELECTRA, 12, 256, 1024, 4, 30522, 512, 2, pieces=128),
    "electra-base-discriminator": _of(_ELECTRA, 12, 768, 3072, 12, 30522, 512, 2),
    "electra-large-discriminator": _of(_ELECTRA, 24, 1024, 4096, 16, 30522, 512, 2),
    "ModernBERT-base": _of("modernbert", 22, 768, 1152, 12, 50368, 8192, 0),
    "ModernBERT-large": _of("modernbert", 28, 1024, 2624, 16, 50368, 8192, 0),
    "roberta-base": _of("roberta", 12, 768, 3072, 12, 50265, 514, 1),
    "roberta-large": _of("roberta", 24, 1024, 4096, 16, 50265, 514, 1),
    "xlm-roberta-base": _of(_ROBERTA, 12, 768, 3072, 12, 250002, 514, 1),
    "xlm-roberta-large": _of(_ROBERTA, 24, 1024, 4096, 16, 250002, 514, 1),
}


def resolve(spec: str) -> Release:
    """The release that a scenario names: stated, or with files that are checked. DataError for one that cannot be."""
    if not is_stated(spec):
        return resolve_files(spec)
    encoder, numbers = _stated(spec)
    config = config_of(encoder, numbers)
    shape = encoder_shape(config)
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
        layers=numbers["layers"],
        parameters=parameters,
        encoder=encoder,
        longest=numbers["positions"] - behind,
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


def config_of(encoder: str, numbers: Mapping[str, int]) -> dict[str, object]:
    """The entries of config.json that say an encoder's shape: what its public models share, and its own numbers."""
    keys = CONFIG_KEYS | dict(MORE_KEYS.get(encoder, {}))
    return {"model_type": encoder, **COMMON.get(encoder, {}), **{keys[name]: size for name, size in numbers.items()}}


def _stated(spec: str) -> Stated:
    """Which encoder it is, and its numbers."""
    said = spec.removeprefix(STATED).strip()
    if said in KNOWN:
        return KNOWN[said]
    if "=" not in said:
        numbers = f"write {STATED}layers=6,hidden=384,inner=1536,heads=12,vocabulary=250037,positions=514"
        told = choices(said, KNOWN, before=STATED, other=numbers)
        raise DataError(f"base model {spec[:80]!r}: no shape of that name; {told}")
    return _of_numbers(spec, said)


def _of_numbers(spec: str, said: str) -> Stated:
    pairs = dict(part.strip().partition("=")[::2] for part in said.split(","))
    encoder = pairs.pop("encoder", _ROBERTA)
    types, more = TYPES.get(encoder, 1), MORE_KEYS.get(encoder, {})
    numbers = {name: int(text) if text.isascii() and text.isdigit() else -1 for name, text in pairs.items()}
    numbers.setdefault("types", types)
    wrong = sorted(CONFIG_KEYS.keys() - numbers.keys()) or sorted(numbers.keys() - CONFIG_KEYS.keys() - more.keys())
    least = {"types": min(types, 1)}
    wrong = wrong or sorted(n for n, size in numbers.items() if not least.get(n, 1) <= size < 10**9)
    if wrong:
        others = f"; {encoder} also takes {', '.join(more)}" if more else ""
        raise DataError(
            f"base model {spec[:80]!r}: {wrong[0][:40]!r} is missing, unknown or no whole number above 0; a shape has "
            f"{', '.join(CONFIG_KEYS)} (types: {types}, if not said) and encoder{others}"
        )
    if numbers["hidden"] % numbers["heads"]:
        raise DataError(f"base model {spec[:80]!r}: hidden must be a multiple of heads; give other numbers")
    try:
        encoder_shape(config_of(encoder, numbers))
    except NoClosedForm as error:
        raise DataError(f"base model {spec[:80]!r}: {error}") from None
    return encoder, numbers
