"""The shape of an encoder, as its config.json tells it, and how many parameters it has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapeff_sim.errors import AdapeffError

WITHOUT_TYPES = ("bert-generation", "distilbert")
ALIASES = {  # what DistilBERT calls them
    "num_hidden_layers": "n_layers",
    "hidden_size": "dim",
    "intermediate_size": "hidden_dim",
    "num_attention_heads": "n_heads",
}
DECIDES_SHAPE = (  # the entries of a config.json that are read here, and those that are refused here
    *("model_type", "num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads"),
    *("vocab_size", "max_position_embeddings", "type_vocab_size", "embedding_size"),
    *("position_embedding_type", "is_decoder", "add_cross_attention"),
    *ALIASES.values(),
    *("num_hidden_groups", "inner_group_num"),  # ALBERT
    *("relative_attention", "max_relative_positions", "position_buckets", "pos_att_type", "share_att_key"),  # DeBERTa
    *("norm_rel_ebd", "position_biased_input", "conv_kernel_size", "conv_groups", "talking_head"),
    "attention_head_size",
    *("attention_bias", "mlp_bias", "norm_bias"),  # ModernBERT
)
Config = Mapping[str, object]


class NoClosedForm(AdapeffError):
    """Something whose operations follow from no formula here; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Relative:
    """Attention that asks for relative positions too: He et al. 2021, https://arxiv.org/abs/2006.03654.

    ``span`` is the number of positions in one direction; the table of both directions has twice as many rows.
    """

    span: int
    keys: bool  # contents ask for positions, "c2p"
    queries: bool  # positions ask for contents, "p2c"
    is_shared: bool = False  # positions pass the projections of contents and have none of their own
    is_cut: bool = False  # only those rows of the table are projected that the length needs
    key_bias: bool = True
    is_normed: bool = False

    def rows(self, length: int) -> int:
        """The rows of the table that are projected for sequences of a length."""
        return 2 * (min(length, self.span) if self.is_cut else self.span)

    def own_parameters(self, hidden: int) -> int:
        """The weights and biases of projections for positions alone, in one layer."""
        if self.is_shared:
            return 0
        return self.keys * hidden * (hidden + self.key_bias) + self.queries * hidden * (hidden + 1)


@dataclass(frozen=True, slots=True)
class Convolution:
    """One over the embedded pieces, beside the first layer."""

    width: int
    groups: int = 1

    def parameters(self, hidden: int) -> int:
        """Its weights and biases, and the norm behind it."""
        return hidden * (hidden // self.groups) * self.width + hidden + 2 * hidden


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """All of an encoder that decides its operations and its size; ``inner`` is the width of its feed-forward part."""

    layers: int
    hidden: int
    inner: int
    heads: int
    vocabulary: int
    positions: int  # in a table of their own, 0 without one
    types: int
    looked_up: int = 0  # the width of what is looked up, where a product widens it; 0: as wide as the states
    widening_bias: bool = True
    norm_after_widening: bool = False
    own_layers: int = 0  # layers with weights of their own, which the others use again; 0: all
    relative: Relative | None = None
    convolution: Convolution | None = None
    is_merged: bool = False  # query, key and value come out of one product
    is_gated: bool = False  # the feed-forward part is opened twice as wide, one half gates the other
    is_rotary: bool = False  # positions turn queries and keys
    attention_biases: int = 4  # vectors
    inner_biases: bool = True
    norm_biases: bool = True

    @property
    def opened(self) -> int:
        """The width that the feed-forward part is opened to."""
        return self.inner * (2 if self.is_gated else 1)

    @property
    def embedded(self) -> int:
        """The width of what is looked up."""
        return self.looked_up or self.hidden

    @property
    def weighted_layers(self) -> int:
        """How many layers have weights of their own."""
        return self.own_layers or self.layers

    @property
    def embedding_parameters(self) -> int:
        """The weights that are looked up and not multiplied with: pieces, positions and segments."""
        relative = 2 * self.relative.span * self.hidden if self.relative else 0
        return (self.vocabulary + self.positions + self.types) * self.embedded + relative

    @property
    def layer_parameters(self) -> int:
        """The weights, biases and norms of one layer."""
        hidden, inner, biased = self.hidden, self.inner, int(self.inner_biases)
        attention = 4 * hidden * hidden + self.attention_biases * hidden
        feed_forward = (hidden + biased) * self.opened + (inner + biased) * hidden
        positions = self.relative.own_parameters(hidden) if self.relative else 0
        return attention + positions + feed_forward + 2 * self._norm(hidden)

    @property
    def non_embedding_parameters(self) -> int:
        """All that are not looked up: the layers, and what lies between the embeddings and them."""
        hidden = self.hidden
        between = self._norm(hidden if self.norm_after_widening else self.embedded)
        between += self.looked_up * hidden + hidden * self.widening_bias if self.looked_up else 0
        between += self._norm(hidden) if self.relative and self.relative.is_normed else 0
        between += self.convolution.parameters(hidden) if self.convolution else 0
        return self.weighted_layers * self.layer_parameters + between

    def _norm(self, width: int) -> int:
        return width * (1 + self.norm_biases)


def encoder_shape(config: Config) -> EncoderShape:
    """The shape in a config.json, as values; NoClosedForm for an encoder of another kind."""
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in READERS:
        raise NoClosedForm(f"an encoder of type {kind!r} has no closed form; {', '.join(sorted(READERS))} have.")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise NoClosedForm("such relative positions take products of their own, which no closed form counts.")
    if config.get("is_decoder") or config.get("add_cross_attention"):
        raise NoClosedForm("a decoder has no closed form; encoders have.")
    shape = READERS[kind](config)
    if shape.hidden % shape.heads:
        raise NoClosedForm(f"{shape.hidden} numbers a piece cannot be dealt out to {shape.heads} heads.")
    return shape


def _sizes(config: Config) -> dict[str, Any]:
    """What every encoder says of itself."""
    return {
        "layers": _whole(config, "num_hidden_layers"),
        "hidden": _whole(config, "hidden_size"),
        "inner": _whole(config, "intermediate_size"),
        "heads": _whole(config, "num_attention_heads"),
        "vocabulary": _whole(config, "vocab_size"),
    }


def _usual(config: Config) -> EncoderShape:
    """Post-norm encoders with positions of their own, all alike in shape but for segments."""
    kind, hidden = config["model_type"], _whole(config, "hidden_size")
    width = config.get("embedding_size", hidden)
    if width != hidden and kind != "electra":
        raise NoClosedForm(f"a {kind} does not widen its pieces, but config.json says embedding_size: {width!r}.")
    return EncoderShape(
        **_sizes(config),
        positions=_whole(config, "max_position_embeddings"),
        types=0 if kind in WITHOUT_TYPES else _whole(config, "type_vocab_size"),
        looked_up=0 if width == hidden else _whole(config, "embedding_size"),
    )


def _albert(config: Config) -> EncoderShape:
    """Layers that are used again and again, over narrow pieces: Lan et al. 2020, https://arxiv.org/abs/1909.11942.

    A group of layers is passed ``num_hidden_layers`` times, each time all of its layers.
    """
    sizes, groups, each = _sizes(config), _whole(config, "num_hidden_groups"), _whole(config, "inner_group_num")
    if sizes["layers"] // groups < each:
        raise NoClosedForm(f"{groups} groups of {each} layers cannot be passed {sizes['layers']} times.")
    return EncoderShape(
        **sizes | {"layers": sizes["layers"] * each},
        positions=_whole(config, "max_position_embeddings"),
        types=_whole(config, "type_vocab_size"),
        looked_up=_whole(config, "embedding_size"),
        own_layers=groups * each,
    )


def _deberta(config: Config) -> EncoderShape:
    """Both generations of DeBERTa; they differ in where positions come from."""
    sizes, is_first = _sizes(config), config["model_type"] == "deberta"
    hidden, width = sizes["hidden"], config.get("embedding_size", sizes["hidden"])
    if _flag(config, "talking_head", False):
        raise NoClosedForm("heads that talk to each other take products of their own, which no closed form counts.")
    if config.get("attention_head_size", hidden // sizes["heads"]) != hidden // sizes["heads"]:
        raise NoClosedForm("heads that are not as wide as the states over their number have no closed form.")
    positions = _whole(config, "max_position_embeddings")
    return EncoderShape(
        **sizes,
        positions=positions if _flag(config, "position_biased_input", True) else 0,
        types=_whole(config, "type_vocab_size", least=0),
        looked_up=0 if width == hidden else _whole(config, "embedding_size"),
        widening_bias=False,
        norm_after_widening=True,
        relative=_relative(config, positions, is_first) if _flag(config, "relative_attention") else None,
        convolution=None if is_first else _convolution(config, hidden),
        is_merged=is_first,
        attention_biases=3 if is_first else 4,  # the first has none for keys
    )


def _relative(config: Config, positions: int, is_first: bool) -> Relative:
    """How a DeBERTa asks for relative positions."""
    said, far = config.get("pos_att_type") or (), config.get("max_relative_positions", -1)
    kinds = {part.strip() for part in said.lower().split("|")} if isinstance(said, str) else set(_parts(said))
    span = far if isinstance(far, int) and far >= 1 else positions
    if is_first:
        return Relative(span, "c2p" in kinds, "p2c" in kinds, is_cut=True, key_bias=False)
    buckets = config.get("position_buckets", -1)
    norms = str(config.get("norm_rel_ebd", "none")).lower().split("|")
    return Relative(
        buckets if isinstance(buckets, int) and buckets > 0 else span,
        "c2p" in kinds,
        "p2c" in kinds,
        is_shared=_flag(config, "share_att_key", False),
        is_normed="layer_norm" in [norm.strip() for norm in norms],
    )


def _parts(said: object) -> list[object]:
    if not isinstance(said, list | tuple):
        raise NoClosedForm(f"config.json says pos_att_type: {str(said)[:40]!r}; a list of c2p and p2c is needed.")
    return list(said)


def _convolution(config: Config, hidden: int) -> Convolution | None:
    if not config.get("conv_kernel_size", 0):
        return None
    width, groups = _whole(config, "conv_kernel_size"), config.get("conv_groups", 1)
    if width % 2 == 0 or not isinstance(groups, int) or groups < 1 or hidden % groups:
        raise NoClosedForm(f"a convolution of width {width} in {str(groups)[:40]} groups cannot be beside a layer.")
    return Convolution(width, groups)


def _modernbert(config: Config) -> EncoderShape:
    """Pre-norm layers with rotated positions and a gate: Warner et al. 2024, https://arxiv.org/abs/2412.13663.

    Local attention is masked and computed in full by eager attention, which is what is counted.
    """
    return EncoderShape(
        **_sizes(config),
        positions=0,
        types=0,
        is_merged=True,
        is_gated=True,
        is_rotary=True,
        attention_biases=4 * _flag(config, "attention_bias"),
        inner_biases=_flag(config, "mlp_bias"),
        norm_biases=_flag(config, "norm_bias"),
    )


READERS: Mapping[str, Callable[[Config], EncoderShape]] = {
    **dict.fromkeys(("bert", "bert-generation", "distilbert", "electra", "roberta", "xlm-roberta"), _usual),
    **dict.fromkeys(("deberta", "deberta-v2"), _deberta),
    "albert": _albert,
    "modernbert": _modernbert,
}


def _whole(config: Config, name: str, least: int = 1) -> int:
    found = config.get(name, config.get(ALIASES.get(name, "")))
    if not isinstance(found, int) or isinstance(found, bool) or found < least:
        raise NoClosedForm(f"config.json says {name}: {str(found)[:40]!r}; a whole number from {least} on is needed.")
    return found


def _flag(config: Config, name: str, default: bool | None = None) -> bool:
    found = config.get(name, default)
    if not isinstance(found, bool):
        raise NoClosedForm(f"config.json says {name}: {str(found)[:40]!r}; true or false is needed.")
    return found
