"""The adapter methods that can be trained, saved, loaded and composed here, and why others cannot.

Measured with adapters 1.3 and transformers 4.57: a method is listed only if a saved adapter gives the same logits when
it is loaded again, and listed as fusible only if AdapterFusion over it trains.
"""

import difflib
import re

FUSIBLE = frozenset({"seq_bn", "double_seq_bn", "par_bn", "compacter", "compacter++"})
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

    Raises ValueError when the method is malformed, unknown, or cannot be used here.
    """
    form = _FORM.fullmatch(method)
    if not form:
        raise ValueError(f"{method!r} is not an adapter method; write NAME or NAME[option=value,...]")
    name = form["name"]
    if name in REFUSED:
        raise ValueError(f"method {name!r} cannot be used: {REFUSED[name]}")
    if name not in METHODS:
        near = difflib.get_close_matches(name, METHODS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown adapter method {name!r}; {hint}known: {', '.join(sorted(METHODS))}")
    return name


def known_method(method: str) -> str:
    """The method itself, if it can be used (raises ValueError as ``family`` does)."""
    family(method)
    return method


def fusible_method(method: str) -> str:
    """The method itself, if AdapterFusion over it trains (raises ValueError otherwise)."""
    if family(method) not in FUSIBLE:
        raise ValueError(f"method {method!r} cannot be fused; adapters can be fused with {', '.join(sorted(FUSIBLE))}")
    return method
