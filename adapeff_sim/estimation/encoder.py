"""The shape of an encoder, as its config.json tells it, and how many parameters it has."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapeff_sim.errors import AdapeffError

# Post-norm encoders with positions of their own, all alike in shape but for segments.
KNOWN_TYPES = ("bert", "bert-generation", "distilbert", "electra", "roberta", "xlm-roberta")
WITHOUT_TYPES = ("bert-generation", "distilbert")
ALIASES = {  # what DistilBERT calls them
    "num_hidden_layers": "n_layers",
    "hidden_size": "dim",
    "intermediate_size": "hidden_dim",
    "num_attention_heads": "n_heads",
}


class NoClosedForm(AdapeffError):
    """Something whose operations follow from no formula here; the message says what and why."""


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """All of an encoder that decides its operations and its size; ``inner`` is the width of its feed-forward part."""

    layers: int
    hidden: int
    inner: int
    heads: int
    vocabulary: int
    positions: int
    types: int

    @property
    def embedding_parameters(self) -> int:
        """The weights that are looked up and not multiplied with: pieces, positions and segments."""
        return (self.vocabulary + self.positions + self.types) * self.hidden

    @property
    def layer_parameters(self) -> int:
        """The weights, biases and norms of one layer."""
        hidden, inner = self.hidden, self.inner
        return 4 * (hidden * hidden + hidden) + (hidden + 1) * inner + (inner + 1) * hidden + 4 * hidden

    @property
    def non_embedding_parameters(self) -> int:
        """All that are not looked up: the layers, and the norm over the embeddings."""
        return self.layers * self.layer_parameters + 2 * self.hidden


def encoder_shape(config: Mapping[str, object]) -> EncoderShape:
    """The shape in a config.json, as values; NoClosedForm for an encoder of another kind."""
    kind = config.get("model_type")
    if kind not in KNOWN_TYPES:
        raise NoClosedForm(f"an encoder of type {kind!r} has no closed form; {', '.join(KNOWN_TYPES)} have.")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise NoClosedForm("relative positions take products of their own, which no closed form counts.")
    if config.get("is_decoder") or config.get("add_cross_attention"):
        raise NoClosedForm("a decoder has no closed form; encoders have.")
    if config.get("embedding_size", config.get("hidden_size")) != config.get("hidden_size"):
        raise NoClosedForm("pieces narrower than the encoder's states pass a product that no closed form counts.")
    return EncoderShape(
        layers=_whole(config, "num_hidden_layers"),
        hidden=_whole(config, "hidden_size"),
        inner=_whole(config, "intermediate_size"),
        heads=_whole(config, "num_attention_heads"),
        vocabulary=_whole(config, "vocab_size"),
        positions=_whole(config, "max_position_embeddings"),
        types=0 if kind in WITHOUT_TYPES else _whole(config, "type_vocab_size"),
    )


def _whole(config: Mapping[str, object], name: str) -> int:
    found = config.get(name, config.get(ALIASES.get(name, "")))
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise NoClosedForm(f"config.json says {name}: {str(found)[:40]!r}; a whole number above 0 is needed.")
    return found
