"""The adapter methods that can be trained, saved, loaded and composed here, and why others cannot.

Measured with adapters 1.3 and transformers 4.57: a method is listed only if a saved adapter gives the same logits when
it is loaded again, and listed as fusible only if AdapterFusion over it trains.
"""

import functools
import re

from adapeff_sim.artifacts.method_options import UNFUSED, Option, read
from adapeff_sim.near_names import choices

FUSIBLE = frozenset({"seq_bn", "double_seq_bn", "par_bn", "compacter", "compacter++"})
SPLITTABLE = FUSIBLE | {"lora", "ia3"}  # a batch split over several adapters answers as each of them does alone
METHODS = FUSIBLE | {
    "seq_bn_inv",
    "double_seq_bn_inv",
    "lora",
    "dora",
    "ia3",
    "vera",
    "prompt_tuning",
    "loreft",
    "noreft",
}
ABOUT = {
    "compacter": "bottlenecks whose matrices are sums of Kronecker products of small ones",
    "compacter++": "as compacter, after the feed-forward layer alone",
    "dora": "LoRA that scales every column of the sum to a length that is learned",
    "double_seq_bn": "a bottleneck after attention and another after the feed-forward layer",
    "double_seq_bn_inv": "as double_seq_bn, with an invertible adapter over the embeddings",
    "ia3": "vectors that scale keys, values and the feed-forward layer",
    "loreft": "edits of hidden states in a subspace of low rank with orthogonal rows",
    "lora": "matrices of low rank beside those of attention",
    "noreft": "as loreft, without orthogonal rows",
    "par_bn": "a bottleneck beside the feed-forward layer",
    "prompt_tuning": "vectors in front of the embedded text",
    "seq_bn": "a bottleneck after the feed-forward layer",
    "seq_bn_inv": "as seq_bn, with an invertible adapter over the embeddings",
    "vera": "LoRA whose matrices are random and shared; only vectors that scale them are trained",
}
REFUSED = {
    "prefix_tuning": "its parts share tensors, which safetensors cannot hold",
    "prefix_tuning_flat": "its parts share tensors, which safetensors cannot hold",
    "mam": "it contains prefix tuning, whose parts share tensors that safetensors cannot hold",
    "unipelt": "it contains prefix tuning, whose parts share tensors that safetensors cannot hold",
    "direft": "the library loads it back wrongly",
    "adapter_plus": "it needs torchvision",
}
_FORM = re.compile(r"(?P<name>[a-z0-9_+]+)(\[(?P<options>[\w.+-]+=[\w.+-]+(,\s*[\w.+-]+=[\w.+-]+)*)\])?")


def family(method: str) -> str:
    """The name in front of the options: ``lora`` of ``lora[r=8]``.

    Raises ValueError as ``options`` does.
    """
    return _read(method)[0]


def options(method: str) -> dict[str, Option]:
    """The options behind the name, as values; what is not said is as the library ``adapters`` has it.

    Raises ValueError when the method is malformed, unknown, or cannot be used here, or has options that its family does
    not take, or not together.
    """
    return dict(_read(method)[1])


@functools.cache
def _read(method: str) -> tuple[str, dict[str, Option]]:
    form = _FORM.fullmatch(method)
    if not form:
        raise ValueError(f"{method[:80]!r} is not an adapter method; write NAME or NAME[option=value,...]")
    name = form["name"]
    if name in REFUSED:
        raise ValueError(f"method {name!r} cannot be used: {REFUSED[name]}")
    if name not in METHODS:
        raise ValueError(f"unknown adapter method {name[:80]!r}; {choices(name, METHODS)}")
    return name, read(name, form["options"] or "")


def known_method(method: str) -> str:
    """The method itself, if it can be used (raises ValueError as ``options`` does)."""
    family(method)
    return method


def fusible_method(method: str) -> str:
    """The method itself, if AdapterFusion over it trains (raises ValueError otherwise)."""
    if family(method) not in FUSIBLE:
        raise ValueError(f"method {method!r} cannot be fused; adapters can be fused with {', '.join(sorted(FUSIBLE))}")
    if lost := [option for option in UNFUSED if options(method).get(option)]:
        raise ValueError(
            f"method {method!r} cannot be fused: a fusion takes what an adapter gives before its {lost[0]}, and the "
            f"adapters under it would not be those that were trained; drop {lost[0]}"
        )
    return method
