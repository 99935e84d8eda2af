"""The options of adapter methods: which each takes, of which values, and which of them go together (no torch).

Measured with adapters 1.3 and transformers 4.57: what is let pass here trains on every encoder that takes the method,
and changes what is trained (tests/training/test_options.py holds it to that).
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapeff_sim.near_names import choices

Option = bool | int | float | str


class Values(NamedTuple):
    """What an option may be: in words, as it is written, and how that is read."""

    told: str
    form: re.Pattern[str]
    read: Callable[[str], Option]


CURVES = (
    "gelu",
    "gelu_new",
    "leaky_relu",
    "linear",
    "mish",
    "quick_gelu",
    "relu",
    "relu6",
    "sigmoid",
    "silu",
    "swish",
    "tanh",
)
WHOLE = Values("a whole number above 0", re.compile(r"0*[1-9]\d{0,5}"), int)
POSITIVE = Values("a number above 0", re.compile(r"(?=.*[1-9])\d{1,6}(\.\d{1,6})?"), float)
SHARE = Values("a number from 0 to below 1", re.compile(r"0(\.\d{1,6})?"), float)
FLAG = Values("True or False", re.compile(r"True|False"), lambda said: said == "True")
CURVE = Values(f"one of {', '.join(CURVES)}", re.compile("|".join(CURVES)), str)

_NORMS = ("ln_before", "ln_after", "original_ln_after")
_PARALLEL = {"reduction_factor": POSITIVE, "non_linearity": CURVE, "dropout": SHARE, "scaling": POSITIVE}
_PARALLEL |= dict.fromkeys(("use_gating", *_NORMS), FLAG)
_BOTTLENECK = _PARALLEL | {"original_ln_before": FLAG}
PLACES = ("selfattn_lora", "intermediate_lora", "output_lora")
_SCALES = dict.fromkeys((*PLACES, "use_gating"), FLAG)
_LOW_RANK = {"r": WHOLE, "alpha": WHOLE, "dropout": SHARE} | _SCALES
_EDITS = {"r": WHOLE, "dropout": SHARE}
OPTIONS: Mapping[str, Mapping[str, Values]] = {
    **dict.fromkeys(("seq_bn", "double_seq_bn", "seq_bn_inv", "double_seq_bn_inv"), _BOTTLENECK),
    "par_bn": _PARALLEL,
    **dict.fromkeys(("compacter", "compacter++"), _BOTTLENECK | {"phm_dim": WHOLE}),
    **dict.fromkeys(("lora", "dora", "vera"), _LOW_RANK),
    "ia3": _SCALES,
    **dict.fromkeys(("loreft", "noreft"), _EDITS),
    "prompt_tuning": {"prompt_length": WHOLE},
}
USUAL_PLACES = {
    "ia3": ("selfattn_lora", "intermediate_lora")
}  # that a method changes if nothing is said; others: the first
NOT_TAKEN = {  # options of the library that a method does not take here, and why
    **dict.fromkeys(
        (("loreft", "orthogonality"), ("noreft", "orthogonality")),
        "it is what tells loreft (True) from noreft (False); name the method that is meant",
    ),
    ("par_bn", "original_ln_before"): "it has no effect on a bottleneck that lies beside the layer; drop it",
    **dict.fromkeys(
        (("ia3", "r"), ("ia3", "dropout"), ("ia3", "alpha")), "it learns one vector, which has none; drop it"
    ),
}
UNFUSED = ("use_gating", "ln_after")  # which the library leaves out under a fusion: it takes what comes before them


def read(name: str, said: str) -> dict[str, Option]:
    """What stands between the brackets behind a method's name, as values.

    Raises ValueError for options that the method does not take, values that cannot be, and what does not go together.
    """
    found: dict[str, Option] = {}
    for pair in said.split(",") if said else ():
        option, _, value = pair.strip().partition("=")
        values = _values(name, option)
        if option in found:
            raise ValueError(f"{option} of {name} is said twice; say it once")
        if not values.form.fullmatch(value):
            raise ValueError(f"{option} of {name} is {value!r}; give {values.told}")
        found[option] = values.read(value)
    if wrong := together(name, found):
        raise ValueError(f"{name}[{said}] {wrong}")
    return found


def _values(name: str, option: str) -> Values:
    known = OPTIONS[name]
    if option in known:
        return known[option]
    if why := NOT_TAKEN.get((name, option)):
        raise ValueError(f"{name} takes no {option}: {why}")
    raise ValueError(f"{name} has no option {option!r}; {choices(option, known)}")


def together(name: str, said: Mapping[str, Option]) -> str | None:
    """Why options cannot be had together, and what would do; None if they can."""
    on = places_of(name, said)
    if PLACES[0] in OPTIONS[name] and not on:
        return f"changes nothing; give one of {', '.join(PLACES)} as True"
    if name == "vera" and len(on) > 1:
        return (
            f"cannot be trained: its layers share matrices of one shape, and {' and '.join(on)} have several; "
            f"give one of them alone (as in vera[selfattn_lora=False, output_lora=True]), or use lora"
        )
    if said.get("use_gating") and "alpha" in said:
        return "has an alpha without effect, as gates take its place; drop alpha, or use_gating"
    return None


def places_of(name: str, said: Mapping[str, Option]) -> list[str]:
    """Where a method that changes projections does so: where it usually does, if its options do not say otherwise."""
    usual = USUAL_PLACES.get(name, PLACES[:1])
    return [place for place in PLACES if said.get(place, place in usual)]
