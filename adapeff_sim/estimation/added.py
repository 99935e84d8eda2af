"""What an adapter method adds to an encoder, as far as it decides operations and sizes."""

from dataclasses import dataclass
from typing import Literal

from adapeff_sim.artifacts.methods import family
from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm

Site = Literal["attention", "output", "beside"]  # after attention, after the feed-forward part, beside it
SITES: dict[str, tuple[Site, ...]] = {
    "seq_bn": ("output",),
    "double_seq_bn": ("attention", "output"),
    "par_bn": ("beside",),
    "compacter": ("attention", "output"),
    "compacter++": ("output",),
}
REDUCTION = {  # the library's defaults, as the next ones
    "seq_bn": 16.0,
    "double_seq_bn": 16.0,
    "par_bn": 2.0,
    "compacter": 32.0,
    "compacter++": 32.0,
}
PHM = 4
RANK, PROMPT = 8, 10
LOW_RANK = {"selfattn_lora": ("q", "v"), "intermediate_lora": ("intermediate",), "output_lora": ("output",)}


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
    scaled: tuple[str, ...] = ()
    prompt: int = 0
    phm: int = 0

    def narrow(self, hidden: int) -> int:
        """The width of a bottleneck."""
        return max(1, int(hidden // self.reduction))

    def layer_parameters(self, shape: EncoderShape) -> int:
        """The weights that it adds to one layer."""
        hidden, narrow = shape.hidden, self.narrow(shape.hidden)
        matrices = 2 * (hidden + narrow) if self.phm else 2 * hidden * narrow
        bottleneck = matrices + narrow + hidden + 2 * hidden * self.normed
        updates = sum(self.width * sum(_sides(name, shape)) for name in self.low_rank)
        scales = sum(_sides(name, shape)[1] for name in self.scaled)
        return len(self.sites) * bottleneck + updates + scales

    @property
    def shared_parameters(self) -> int:
        """The weights that all layers have together."""
        return self.phm**3


def _sides(projection: str, shape: EncoderShape) -> tuple[int, int]:
    """The inputs and outputs of a projection."""
    return (
        shape.inner if projection == "output" else shape.hidden,
        shape.inner if projection == "intermediate" else shape.hidden,
    )


def added(method: str) -> Added:
    """What a method adds; NoClosedForm if that is not known here, ValueError if the method is not."""
    name = family(method)
    said = dict(pair.strip().split("=") for pair in method.partition("[")[2].rstrip("]").split(",") if pair)
    if said.get("use_gating") == "True":
        raise NoClosedForm(f"{method}: a gate over an adapter has no closed form.")
    if name in SITES:
        norms = [said.get(option) == "True" for option in ("ln_before", "ln_after")]
        phm = int(said.get("phm_dim", PHM)) if name.startswith("compacter") else 0
        reduction = float(said.get("reduction_factor", REDUCTION[name]))
        return Added(SITES[name], reduction, sum(norms), norms[0], phm=phm)
    if name == "lora":
        on = {option: said.get(option, str(option == "selfattn_lora")) == "True" for option in LOW_RANK}
        chosen = tuple(place for option, found in LOW_RANK.items() if on[option] for place in found)
        return Added(low_rank=chosen, width=int(said.get("r", RANK)))
    if name == "ia3" and not said:
        return Added(scaled=("k", "v", "intermediate"))
    if name == "prompt_tuning":
        return Added(prompt=int(said.get("prompt_length", PROMPT)))
    raise NoClosedForm(f"{method} has no closed form; {', '.join((*SITES, 'lora', 'ia3'))} and prompt_tuning have.")
