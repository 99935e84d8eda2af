"""The adapter methods that can be trained, saved, loaded and composed here, and why others cannot.

Measured with adapters 1.3 and transformers 4.57: a method is listed only if a saved adapter gives the same logits when
it is loaded again, and listed as fusible only if AdapterFusion over it trains.
"""

import re

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
WHOLE, POSITIVE, SHARE, FLAG = (
    "a whole number above 0",
    "a number above 0",
    "a number from 0 to below 1",
    "True or False",
)
WORD = "a word"
_BOTTLENECK = {
    "reduction_factor": POSITIVE,
    "non_linearity": WORD,
    "dropout": SHARE,
    "scaling": POSITIVE,
    "use_gating": FLAG,
}
_BOTTLENECK |= dict.fromkeys(("ln_before", "ln_after", "original_ln_before", "original_ln_after"), FLAG)
_LOW_RANK = {"r": WHOLE, "alpha": WHOLE, "dropout": SHARE, "use_gating": FLAG}
_LOW_RANK |= dict.fromkeys(("selfattn_lora", "intermediate_lora", "output_lora"), FLAG)
_REFT = {"r": WHOLE, "orthogonality": FLAG, "dropout": SHARE}
OPTIONS = {
    **dict.fromkeys(("seq_bn", "double_seq_bn", "par_bn", "seq_bn_inv", "double_seq_bn_inv"), _BOTTLENECK),
    **dict.fromkeys(("compacter", "compacter++"), _BOTTLENECK | {"phm_dim": WHOLE}),
    **dict.fromkeys(("lora", "dora", "ia3", "vera"), _LOW_RANK),
    **dict.fromkeys(("loreft", "noreft"), _REFT),
    "prompt_tuning": {"prompt_length": WHOLE},
}
_VALUE = {
    WHOLE: re.compile(r"0*[1-9]\d{0,5}"),
    POSITIVE: re.compile(r"(?=.*[1-9])\d{1,6}(\.\d{1,6})?"),
    SHARE: re.compile(r"0(\.\d{1,6})?"),
    FLAG: re.compile(r"True|False"),
    WORD: re.compile(r"[a-z_]{1,30}"),
}
_FORM = re.compile(r"(?P<name>[a-z0-9_+]+)(\[(?P<options>[\w.+-]+=[\w.+-]+(,\s*[\w.+-]+=[\w.+-]+)*)\])?")


def family(method: str) -> str:
    """The name in front of the options: ``lora`` of ``lora[r=8]``.

    Raises ValueError when the method is malformed, unknown, or cannot be used here, or has an option that its family
    does not take.
    """
    form = _FORM.fullmatch(method)
    if not form:
        raise ValueError(f"{method[:80]!r} is not an adapter method; write NAME or NAME[option=value,...]")
    name = form["name"]
    if name in REFUSED:
        raise ValueError(f"method {name!r} cannot be used: {REFUSED[name]}")
    if name not in METHODS:
        raise ValueError(f"unknown adapter method {name[:80]!r}; {choices(name, METHODS)}")
    for option in (form["options"] or "").split(",") if form["options"] else ():
        _check_option(name, *option.strip().split("="))
    return name


def _check_option(name: str, option: str, value: str) -> None:
    known = OPTIONS[name]
    if option not in known:
        raise ValueError(f"{name} has no option {option!r}; {choices(option, known)}")
    if not _VALUE[known[option]].fullmatch(value):
        raise ValueError(f"{option} of {name} is {value!r}; give {known[option]}")


def known_method(method: str) -> str:
    """The method itself, if it can be used (raises ValueError as ``family`` does)."""
    family(method)
    return method


def fusible_method(method: str) -> str:
    """The method itself, if AdapterFusion over it trains (raises ValueError otherwise)."""
    if family(method) not in FUSIBLE:
        raise ValueError(f"method {method!r} cannot be fused; adapters can be fused with {', '.join(sorted(FUSIBLE))}")
    return method
