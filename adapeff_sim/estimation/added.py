"""What an adapter method adds to an encoder, as far as it decides operations and sizes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from adapeff_sim.artifacts.method_options import places_of
from adapeff_sim.artifacts.methods import family, options
from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm

Site = Literal["attention", "output", "beside"]  # after attention, after the feed-forward part, beside it
SITES: dict[str, tuple[Site, ...]] = {
    "seq_bn": ("output",),
    "double_seq_bn": ("attention", "output"),
    "par_bn": ("beside",),
    "compacter": ("attention", "output"),
    "compacter++": ("output",),
    "seq_bn_inv": ("output",),
    "double_seq_bn_inv": ("attention", "output"),
}
REDUCTION = {  # the library's defaults, as the next ones
    "par_bn": 2.0,
    "compacter": 32.0,
    "compacter++": 32.0,
}
USUAL_REDUCTION, INVERTIBLE_REDUCTION = 16.0, 2
PHM = 4
RANK, PROMPT = 8, 10
EDITED = 3  # the first pieces of a sequence, which ReFT edits
UNITS = 2  # of ReFT in a layer: one for the first pieces, one for the last ones, which are none
UPDATED = {"selfattn_lora": ("q", "v"), "intermediate_lora": ("intermediate",), "output_lora": ("output",)}
SCALED = UPDATED | {"selfattn_lora": ("k", "v")}


@dataclass(frozen=True, slots=True)
class Added:
    """Bottlenecks at sites, low-rank updates of or scales on projections (q, k, v, intermediate, output), a prompt.

    With ``phm`` the matrices of a bottleneck are sums of so many Kronecker products, of a small matrix that all layers
    share and of one of rank 1 (Mahabadi et al. 2021, https://arxiv.org/abs/2106.04647). Making them from their factors
    is not counted: it takes less than 1 % of an adapter's own operations from a few dozen pieces on.
    """

    sites: tuple[Site, ...] = ()
    reduction: float = 1.0
    normed: int = 0  # trained norms around a bottleneck
    norm_first: bool = False  # one comes before it, so that gradients flow through all of the bottleneck
    low_rank: tuple[str, ...] = ()
    width: int = 0
    has_length: bool = False  # DoRA: of every column of an updated projection
    is_vera: bool = False
    scaled: tuple[str, ...] = ()
    is_gated: bool = False  # each place has a gate of one number a piece
    prompt: int = 0
    phm: int = 0
    is_invertible: bool = False  # an invertible adapter lies over the embedded pieces
    edits: int = 0  # ReFT: the rank of the edits of hidden states
    is_orthogonal: bool = False  # and their rows are orthogonal, made so at every use

    def narrow(self, hidden: int) -> int:
        """The width of a bottleneck."""
        return max(1, int(hidden // self.reduction))

    def layer_parameters(self, shape: EncoderShape) -> int:
        """The weights that it adds to one layer."""
        hidden, narrow = shape.hidden, self.narrow(shape.hidden)
        matrices = 2 * (hidden + narrow) if self.phm else 2 * hidden * narrow
        bottleneck = matrices + narrow + hidden + 2 * hidden * self.normed + self.is_gated * (hidden + 1)
        updates = sum(self._update(*sides(name, shape)) for name in self.low_rank)
        scales = sum(outputs + self.is_gated * (inputs + 1) for inputs, outputs in self._scaled_sides(shape))
        edits = UNITS * self.edits * (2 * hidden + 1)
        return len(self.sites) * bottleneck + updates + scales + edits

    def _update(self, inputs: int, outputs: int) -> int:
        gate = self.is_gated * (inputs + 1)
        if self.is_vera:
            return self.width * self.width + outputs * outputs + gate
        return self.width * (inputs + outputs) + self.has_length * outputs + gate

    def _scaled_sides(self, shape: EncoderShape) -> list[tuple[int, int]]:
        return [sides(name, shape) for name in self.scaled]

    def shared_parameters(self, shape: EncoderShape) -> int:
        """The weights that are trained and lie in no layer: what all have together, and what lies over the pieces."""
        prompt = self.prompt * shape.embedded
        return self.phm**3 + prompt + sum(_coupling(*pair) for pair in self.couplings(shape.embedded))

    def frozen_parameters(self, shape: EncoderShape) -> int:
        """The weights that come with it and are never trained: the random matrices of VeRA, which all layers share."""
        return self.width * sum(sides(self.low_rank[0], shape)) if self.is_vera else 0

    def kept_beside(self, shape: EncoderShape) -> int:
        """Numbers that are kept in its files and are no parameters: what orthogonal rows are made from."""
        return shape.weighted_layers * UNITS * shape.hidden**2 if self.is_orthogonal else 0

    def couplings(self, width: int) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of both halves of an invertible adapter: NICE, https://arxiv.org/abs/1410.8516."""
        first = width // 2
        return ((width - first, first), (first, width - first)) if self.is_invertible else ()


def _coupling(inputs: int, outputs: int) -> int:
    inside = inputs // INVERTIBLE_REDUCTION
    return (inputs + 1) * inside + (inside + 1) * outputs


def sides(projection: str, shape: EncoderShape) -> tuple[int, int]:
    """The inputs and outputs of a projection."""
    return (
        shape.inner if projection == "output" else shape.hidden,
        shape.opened if projection == "intermediate" else shape.hidden,
    )


def added(method: str) -> Added:
    """What a method adds; NoClosedForm for one that cannot be used, as a ledger of an earlier version may name."""
    try:
        name, said = family(method), options(method)
    except ValueError as error:
        raise NoClosedForm(str(error)) from None
    gated = bool(said.get("use_gating"))
    if name in SITES:
        norms = [bool(said.get(option)) for option in ("ln_before", "ln_after")]
        phm = int(said.get("phm_dim", PHM)) if name.startswith("compacter") else 0
        reduction = float(said.get("reduction_factor", REDUCTION.get(name, USUAL_REDUCTION)))
        is_invertible = name.endswith("_inv")
        return Added(SITES[name], reduction, sum(norms), norms[0], is_gated=gated, phm=phm, is_invertible=is_invertible)
    if name == "ia3":
        return Added(scaled=_projections(SCALED, places_of(name, said)), is_gated=gated)
    if name in ("lora", "dora", "vera"):
        places, width = _projections(UPDATED, places_of(name, said)), int(said.get("r", RANK))
        return Added(low_rank=places, width=width, has_length=name == "dora", is_vera=name == "vera", is_gated=gated)
    if name == "prompt_tuning":
        return Added(prompt=int(said.get("prompt_length", PROMPT)))
    return Added(edits=int(said.get("r", 1)), is_orthogonal=name == "loreft")


def _projections(of: Mapping[str, tuple[str, ...]], places: Iterable[str]) -> tuple[str, ...]:
    """The projections that lie at some places."""
    return tuple(projection for place in places for projection in of[place])
