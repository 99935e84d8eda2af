"""How much disk a scenario's builds may write at most, from shapes alone.

What is kept lies there as 32-bit floats. While something is trained, a checkpoint holds its weights, the best weights
so far and two moments of the optimizer, and a new checkpoint is written before the old one is removed.
"""

import math
import re
from collections.abc import Iterable

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.methods import family
from adapeff_sim.artifacts.recipe import AdapterRecipe, FusionRecipe, ModelRecipe
from adapeff_sim.base_models.release import Release
from adapeff_sim.estimation.parameters import FLOAT_BYTES

BESIDE_BYTES = 256 * 1024  # manifests, settings of adapters and heads, outcomes
CHECKPOINT_COPIES = 2 * 4
HEAD_OUTPUTS = 1024  # more labels than tasks have
BOTTLENECKS = 2  # at most so many in a layer
LOW_RANK_WIDTHS = 24  # all matrices of a layer that a low-rank update may touch, in hidden sizes, 18 in practice
SQUARES = {"vera": 4, "loreft": 4}  # methods that keep hidden x hidden matrices in every layer
WIDE_SQUARES = 36  # and where the four times wider matrices of the feed-forward part take part too
OPTION = re.compile(r"(\w+)=([\d.]+(?:e[+-]?\d+)?)")


def disk_needed(builds: Iterable[tuple[Artifact, Release]]) -> int:
    """An upper bound in bytes for building all of ``builds``, each over its base model, one after the other."""
    sizes = [stored_at_most(artifact, release) for artifact, release in builds]
    return sum(sizes) + CHECKPOINT_COPIES * max(sizes, default=0)


def stored_at_most(artifact: Artifact, release: Release) -> int:
    """An upper bound in bytes for what is kept of one artifact; 0 for sources, which lie elsewhere."""
    recipe, hidden = artifact.recipe, release.hidden_size
    head = hidden * hidden + (hidden + 1) * (HEAD_OUTPUTS + 1)
    if isinstance(recipe, ModelRecipe):
        elements = release.parameters + head * len(recipe.tasks)
    elif isinstance(recipe, FusionRecipe):
        elements = head + release.layers * 4 * hidden * (hidden + 1)  # query, key and value, one to spare
    elif isinstance(recipe, AdapterRecipe):
        elements = head + adapter_elements(recipe.method, hidden, release.layers)
    else:
        return 0
    return elements * FLOAT_BYTES + BESIDE_BYTES


def adapter_elements(method: str, hidden: int, layers: int) -> int:
    """An upper bound for the elements that an adapter of this method stores, its head apart."""
    name = family(method)
    options = {option: float(number) for option, number in OPTION.findall(method)}
    if name in ("lora", "dora", "ia3", "vera", "loreft", "noreft"):
        squares = SQUARES.get(name, 0) + (WIDE_SQUARES if name == "vera" and "_lora=True" in method else 0)
        return layers * (LOW_RANK_WIDTHS * hidden * math.ceil(options.get("r", 8) + 1) + squares * hidden * hidden)
    if name == "prompt_tuning":
        return hidden * math.ceil(options.get("prompt_length", 10) + hidden)
    narrowest = 2 if name == "par_bn" else 8 if name.startswith("compacter") else 16
    width = math.ceil(hidden / options.get("reduction_factor", narrowest))
    inside = BOTTLENECKS * (2 * hidden * width + width + 6 * hidden)
    invertible = 2 * hidden * hidden if name.endswith("_inv") else 0
    return layers * inside + invertible
