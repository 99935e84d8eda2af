"""The encoders that adapters can be put on, by the ``model_type`` of config.json, and where they differ (no torch).

Measured with adapters 1.3 and transformers 4.57 on small random models of each kind: what is listed here trains, has
an effect, and gives the same answers when it is loaded again (tests/training/test_encoders.py holds it to that).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from adapeff_sim.errors import DataError


@dataclass(frozen=True, slots=True)
class Encoder:
    """One encoder architecture: how it is called, and where it differs from the others."""

    name: str
    dropout: str = "hidden_dropout_prob"  # the setting that says how many of its states are dropped in training
    counts_behind_padding: bool = False  # its first position has the number behind that of the padding piece
    needs_fp32: bool = False  # the library's code for it stops in bf16
    needs_fp32_with: frozenset[str] = frozenset()  # adapter methods, by family, with which it does
    makes_tensors: bool = False  # on its way, and on the usual device
    load: Mapping[str, bool] = field(default_factory=dict)  # settings that are loaded otherwise than config.json says
    cannot: Mapping[str, str] = field(default_factory=dict)  # adapter methods, by family: why they cannot be put on it
    cannot_with: tuple["Unfit", ...] = ()  # what cannot be put on one whose config.json says something unusual
    always: Mapping[str, str] = field(default_factory=dict)  # flags of methods that cannot be False on it, and why
    cannot_split: frozenset[str] = frozenset()  # methods, by family, of which one batch cannot take several adapters


Said = Mapping[str, Any]
NOTHING: Said = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Unfit:
    """Adapter methods, by family, that cannot be put on an encoder where a setting of its config.json ``holds``."""

    methods: tuple[str, ...]
    setting: str
    holds: Callable[[Said], bool]
    why: str


_RELATIVE = Unfit(
    ("prompt_tuning",),
    "position_embedding_type",
    lambda said: said.get("position_embedding_type", "absolute") != "absolute",
    "its positions are relative (position_embedding_type), and the library knows none for the prompt",
)
_WIDENED = Unfit(
    ("prompt_tuning", "seq_bn_inv", "double_seq_bn_inv"),
    "embedding_size",
    lambda said: said.get("embedding_size") not in (None, said.get("hidden_size")),
    "its pieces are widened (embedding_size) before the library adds what is as narrow as they were",
)
_CONVOLVED = Unfit(
    ("prompt_tuning",),
    "conv_kernel_size",
    lambda said: said.get("conv_kernel_size") not in (None, 0),
    "its convolution (conv_kernel_size) masks pieces by their number, the prompt's not among them",
)
_LOW_RANK = frozenset({"lora", "ia3"})  # DeBERTa and ModernBERT have attention of their own, which splits no batch
_ONE_MATRIX = "its query, key and value lie in one matrix, for which the library has no such method"
ENCODERS: Mapping[str, Encoder] = {
    "albert": Encoder("ALBERT", cannot_with=(_RELATIVE,)),
    "bert": Encoder("BERT", cannot_with=(_RELATIVE,)),
    "bert-generation": Encoder("BERT generation"),
    "deberta": Encoder(
        "DeBERTa",
        needs_fp32=True,
        cannot={"dora": _ONE_MATRIX, "vera": _ONE_MATRIX},
        cannot_with=(_WIDENED,),
        cannot_split=_LOW_RANK,
    ),
    "deberta-v2": Encoder(
        "DeBERTa-v2, v3",
        needs_fp32_with=frozenset({"dora"}),
        cannot_with=(_WIDENED, _CONVOLVED),
        cannot_split=_LOW_RANK,
    ),
    "distilbert": Encoder(
        "DistilBERT",
        dropout="dropout",
        makes_tensors=True,
        cannot={"prompt_tuning": "the library puts the prompt wrongly into its attention mask"},
    ),
    "electra": Encoder("ELECTRA"),
    "modernbert": Encoder(
        "ModernBERT",
        dropout="mlp_dropout",
        load={"reference_compile": False},  # it would compile itself where it can, with other bits than elsewhere
        cannot={"dora": _ONE_MATRIX, "vera": _ONE_MATRIX, "prompt_tuning": "the library has no such method for it"},
        always={"original_ln_after": "the library leaves that path to the layer itself; drop original_ln_after"},
        cannot_split=_LOW_RANK,
    ),
    "roberta": Encoder("RoBERTa", counts_behind_padding=True, cannot_with=(_RELATIVE,)),
    "xlm-roberta": Encoder("XLM-RoBERTa", counts_behind_padding=True, cannot_with=(_RELATIVE,)),
}
DECODER, ENCODER_DECODER = "a decoder, which reads no text backwards", "an encoder with a decoder"
NO_TEXT = "no encoder of text"
OTHERS: Mapping[str, str] = {
    **dict.fromkeys(("gpt2", "gptj", "llama", "mistral", "gemma2", "gemma3_text", "qwen2", "qwen3", "phi"), DECODER),
    **dict.fromkeys(("bart", "mbart", "plbart", "t5", "mt5", "encoder-decoder"), ENCODER_DECODER),
    **dict.fromkeys(("beit", "vit", "clip", "whisper"), NO_TEXT),
    "xmod": "an encoder with adapters of its own for each language, which the adapters library takes away",
}


def encoder_of(config: Path, settings: Mapping[str, Any]) -> Encoder:
    """The architecture that the settings of a config.json name; DataError for one that cannot be used, naming those
    that can."""
    kind = settings.get("model_type")
    fits = f"give an encoder that adapters can be put on: {', '.join(sorted(ENCODERS))}"
    if not isinstance(kind, str) or not kind:
        raise DataError(f"{config}: no model_type, so nobody knows what it is; {fits}")
    if kind not in ENCODERS:
        what = OTHERS.get(kind, "unknown here, or nothing that adapters can be put on")
        raise DataError(f"{config}: model_type {kind[:80]!r} is {what}; {fits}")
    if settings.get("is_decoder") or settings.get("is_encoder_decoder"):
        raise DataError(f"{config}: is_decoder is set; {fits}, as an encoder")
    return ENCODERS[kind]


def table() -> str:
    """The encoders, what cannot be put on them and what they need, as a table of a Markdown page."""
    lines = ["| `model_type` | encoder | what it cannot take |", "|---|---|---|"]
    for kind, encoder in sorted(ENCODERS.items()):
        reasons: dict[str, list[str]] = {}
        for method, why in sorted(encoder.cannot.items()):
            reasons.setdefault(why, []).append(f"`{method}`")
        narrow = ", ".join(f"`{method}`" for method in sorted(encoder.needs_fp32_with))
        stops = f"{narrow} with " if narrow else ""
        bf16 = [f"{stops}`--precision bf16`: the library's code for it stops there"]
        bf16 *= encoder.needs_fp32 or bool(narrow)
        unusual = [f"{', '.join(f'`{m}`' for m in each.methods)} where {each.why}" for each in encoder.cannot_with]
        flags = [f"`{flag}=False`: {why}" for flag, why in encoder.always.items()]
        told = "; ".join(
            [*(f"{', '.join(methods)}: {why}" for why, methods in reasons.items()), *unusual, *flags, *bf16]
        )
        lines.append(f"| `{kind}` | {encoder.name} | {told or 'none'} |")
    return "\n".join(lines)


def why_not(encoder: str, family: str, options: Said = NOTHING, settings: Said = NOTHING) -> str | None:
    """Why adapters of a family of methods cannot be put on an encoder, by ``model_type``; None if they can.

    ``options`` are those of the method, ``settings`` the entries of the base model's config.json.
    """
    known = ENCODERS[encoder]
    if family in known.cannot:
        return known.cannot[family]
    unfit = (each.why for each in known.cannot_with if family in each.methods and each.holds(settings))
    flags = (why for flag, why in known.always.items() if options.get(flag) is False)
    return next(iter((*unfit, *flags)), None)
