"""The walk through a network's matrix products that its closed forms are made of.

At each product there are two questions: does a gradient flow back into its input, and is its weight trained?
"""

from dataclasses import dataclass, field

from adapeff_sim.estimation.added import EDITED, INVERTIBLE_REDUCTION, UNITS, Added, Site, added
from adapeff_sim.estimation.encoder import Convolution, NoClosedForm, Relative
from adapeff_sim.estimation.network import HeadShape, NetworkShape, Trained
from adapeff_sim.estimation.products import Products
from adapeff_sim.estimation.updates import Projection, update


@dataclass(slots=True)
class Walk:
    """The sums so far; ``flows`` says whether a gradient flows back into the states that came last."""

    network: NetworkShape
    sequences: int
    length: int
    sums: Products = field(default_factory=Products)
    flows: bool = False
    is_again: bool = False  # the layer's weights were used by one before it
    methods: list[Added] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.methods = [added(method) for method in self.network.adapters]
        if self.network.fused and not all(m.sites == self.methods[0].sites and m.sites for m in self.methods):
            names = ", ".join(self.network.adapters)
            raise NoClosedForm(f"a fusion of {names} has no closed form; one of bottlenecks at the same places has.")
        if not self.network.fused and len(self.methods) > 1:
            raise NoClosedForm("adapters on top of each other have no closed form.")
        self._require_fitting()
        prompt = sum(m.prompt for m in self.methods)
        self.length += prompt
        self.flows = self.trains("model") or (bool(prompt) and self.trains("adapter"))

    def _require_fitting(self) -> None:
        """Refuse what the library cannot put on an encoder of this shape: its code stops there."""
        shape = self.network.encoder
        prompt = any(m.prompt for m in self.methods)
        if shape.is_merged and any(m.has_length or m.is_vera for m in self.methods):
            raise NoClosedForm("DoRA and VeRA cannot be put on an encoder whose query, key and value are one matrix.")
        if shape.norm_after_widening and shape.looked_up and (prompt or any(m.is_invertible for m in self.methods)):
            raise NoClosedForm("a prompt or an invertible adapter cannot lie over pieces that a DeBERTa has widened.")
        if prompt and shape.convolution:
            raise NoClosedForm("a prompt cannot be put in front of pieces that a convolution masks by their number.")

    def trains(self, what: Trained) -> bool:
        """Whether that is trained; the heads apart, which always are if anything is."""
        return self.network.trained == what

    @property
    def tokens(self) -> int:
        """The pieces of a batch, prompt and padding included."""
        return self.sequences * self.length

    def linear(self, inputs: int, outputs: int, flows: bool, trained: bool, rows: int | None = None) -> bool:
        """A product of every piece, or of so many rows, with a weight of its layer."""
        asked = self.tokens if rows is None else rows
        return self.sums.linear(asked, (inputs, outputs), flows, trained, again=self.is_again)

    def encoder(self) -> None:
        """From the embedded pieces to the last states, with all that lies on them."""
        shape = self.network.encoder
        for method in self.methods:
            self.inverted(method)
        if shape.looked_up:
            self.flows = self.linear(shape.looked_up, shape.hidden, self.flows, self.trains("model"))
        embedded = self.flows
        for layer in range(shape.layers):
            self.is_again = layer >= shape.weighted_layers
            self.attention()
            self.adapters("attention")
            before = self.flows
            self.feed_forward()
            self.adapters("beside", before)
            self.adapters("output")
            self.edited()
            if layer == 0 and shape.convolution:
                self.convolution(shape.convolution, embedded)
        self.is_again = False

    def convolution(self, found: Convolution, embedded: bool) -> None:
        """One over the embedded pieces, added to the states of the first layer."""
        hidden, trained = self.network.encoder.hidden, self.trains("model")
        sizes = (hidden // found.groups, hidden)
        self.flows = self.sums.linear(self.tokens, sizes, embedded, trained, fold=found.width) or self.flows

    def attention(self) -> None:
        """Queries, keys and values; their two products; the projection back."""
        shape = self.network.encoder
        hidden, wide, times = shape.hidden, shape.hidden // shape.heads, self.sequences * shape.heads
        query, key, value = self.queries_keys_values()
        scores = self.sums.product(times, (self.length, wide, self.length), query, key)
        if shape.relative:
            scores = self.relative(shape.relative, query, key) or scores
        if shape.is_rotary:  # the angle of every position, once for all sequences
            self.sums.product(1, (-(-wide // 2), 1, self.length), False, False, of_weights=2)
        mixed = self.sums.product(times, (self.length, self.length, wide), scores, value)
        self.flows = self.linear(hidden, hidden, mixed, self.trains("model")) or self.flows

    def queries_keys_values(self) -> tuple[bool, bool, bool]:
        """Whether gradients flow back into each; into all of them where they are one matrix."""
        hidden = self.network.encoder.hidden
        if not self.network.encoder.is_merged:
            query, key, value = (self.projected(name, hidden, hidden) for name in "qkv")
            return query, key, value
        flows = self.linear(hidden, 3 * hidden, self.flows, self.trains("model"))
        for name in "qkv":
            flows = self.updated(name, (hidden, hidden), flows)
        return flows, flows, flows

    def relative(self, found: Relative, query: bool, key: bool) -> bool:
        """The scores of contents for relative positions, and of positions for contents."""
        shape = self.network.encoder
        rows, times = found.rows(self.length), self.sequences * shape.heads
        flows = False
        for name, asks, is_used in (("q", key, found.queries), ("k", query, found.keys)):
            if not is_used and not found.is_shared:
                continue
            table = self.projected_positions(name, found, rows, is_used)
            if is_used:
                sizes = (self.length, shape.hidden // shape.heads, rows)
                flows = self.sums.product(times, sizes, asks, table, of_weights=1) or flows
        return flows

    def projected_positions(self, name: str, found: Relative, rows: int, is_used: bool) -> bool:
        """Positions as keys or queries; nothing flows back into what is made and not used."""
        hidden, trained = self.network.encoder.hidden, self.trains("model") and is_used
        again = self.is_again or found.is_shared
        flows = self.sums.linear(rows, (hidden, hidden), trained, trained, apart=True, again=again)
        return self.updated(name, (hidden, hidden), flows, rows, is_used) if found.is_shared else flows

    def feed_forward(self) -> None:
        """Opened to the inner width and closed again, beside what goes on unchanged."""
        shape = self.network.encoder
        residual = self.flows
        self.flows = self.projected("intermediate", shape.hidden, shape.opened)
        self.flows = self.projected("output", shape.inner, shape.hidden) or residual

    def projected(self, name: str, inputs: int, outputs: int) -> bool:
        """A projection of the encoder, with what low-rank or scaling methods add to it."""
        flows = self.linear(inputs, outputs, self.flows, self.trains("model"))
        return self.updated(name, (inputs, outputs), flows)

    def updated(
        self, name: str, sizes: tuple[int, int], flows: bool, rows: int | None = None, is_used: bool = True
    ) -> bool:
        """What methods add to a projection of every piece, or of so many rows that are no pieces."""
        trained, apart = self.trains("adapter") and is_used, rows is not None
        asked = self.tokens if rows is None else rows
        at = Projection(name, asked, sizes, self.flows and not apart, trained, apart, self.is_again or apart)
        for method in self.methods:
            flows = update(self.sums, method, at, flows)
        return flows

    def adapters(self, site: Site, flows: bool | None = None) -> None:
        """The bottlenecks at one place of a layer, and the fusion over them."""
        found = [m for m in self.methods if site in m.sites]
        if not found:
            return
        into = self.flows if flows is None else flows
        out = [self.bottleneck(method, into) for method in found]
        if self.network.fused:
            self.fusion(len(found), any(out))
        self.flows = self.flows or any(out) or self.trains("fusion")

    def bottleneck(self, method: Added, flows: bool) -> bool:
        """Narrow and wide again: Houlsby et al. 2019, https://arxiv.org/abs/1902.00751."""
        hidden, trained = self.network.encoder.hidden, self.trains("adapter")
        narrow = method.narrow(hidden)
        inside = self.linear(hidden, narrow, flows or (method.norm_first and trained), trained)
        if method.is_gated:
            self.linear(hidden, 1, flows, trained)
        return self.linear(narrow, hidden, inside, trained)

    def fusion(self, fused: int, keys_flow: bool) -> None:
        """Every piece asks which adapter to listen to: Pfeiffer et al. 2021, https://arxiv.org/abs/2005.00247."""
        hidden, trained = self.network.encoder.hidden, self.trains("fusion")
        query = self.linear(hidden, hidden, self.flows, trained)
        key = self.linear(hidden, hidden, keys_flow, trained, self.tokens * fused)
        value = self.linear(hidden, hidden, keys_flow, trained, self.tokens * fused)
        scores = self.sums.product(self.tokens, (1, hidden, fused), query, key)
        self.sums.product(self.tokens, (1, fused, hidden), scores, value)

    def inverted(self, method: Added) -> None:
        """An invertible adapter: each half of the embedded pieces is moved by the other."""
        trained = self.trains("adapter")
        for inputs, outputs in method.couplings(self.network.encoder.embedded):
            inside = self.linear(inputs, inputs // INVERTIBLE_REDUCTION, self.flows, trained)
            self.flows = self.linear(inputs // INVERTIBLE_REDUCTION, outputs, inside, trained) or self.flows

    def edited(self) -> None:
        """Edits of hidden states in few directions, by ReFT: Wu et al. 2024, https://arxiv.org/abs/2404.03592."""
        hidden, trained = self.network.encoder.hidden, self.trains("adapter")
        for method in (m for m in self.methods if m.edits):
            first = self.sequences * min(EDITED, self.length)
            for rows in (first, *(0,) * (UNITS - 1)):
                for _ in range(2 * method.is_orthogonal):  # made for the way there, and again for the way back
                    self.sums.product(1, (hidden, hidden, method.edits), False, trained, of_weights=2)
                self.linear(hidden, method.edits, self.flows, trained, rows)
                self.linear(hidden, method.edits, self.flows, trained, rows)
                sizes, flows = (method.edits, hidden), self.flows or trained
                self.sums.linear(rows, sizes, flows, trained, again=True)
            self.flows = self.flows or trained

    def head(self, head: HeadShape, sequences: int, length: int) -> None:
        """What answers, over the first piece of each sequence or over all of its pieces but those of a prompt."""
        hidden, trained = self.network.encoder.hidden, not self.trains("nothing")
        rows, flows = sequences if head.per_sequence else sequences * length, self.flows
        if head.per_sequence:
            flows = self.linear(hidden, hidden, flows, trained, rows)
        self.linear(hidden, head.outputs, flows, trained, rows)
