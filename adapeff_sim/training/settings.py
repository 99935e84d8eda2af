"""How an artifact is trained: the settings that a scenario may set, and the defaults that a search found (no torch)."""

from pydantic import BaseModel, ConfigDict, Field

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.methods import family
from adapeff_sim.artifacts.recipe import AdapterRecipe, Kind

# Found by benchmarks/learning_rates.py on adapeff-mini:v1; the table is in docs/measurements/learning_rates.md.
LEARNING_RATES: dict[str, float] = {"model": 3e-4, "fusion": 3e-3, "adapter": 1e-2}
METHOD_LEARNING_RATES: dict[str, float] = {"lora": 3e-3}


class SomeSettings(BaseModel):
    """Training settings as a scenario gives them: what is not said is inherited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int | None = Field(default=None, gt=0, description="Times through the rows, at most.")
    max_steps: int | None = Field(default=None, gt=0, description="Optimizer steps, at most; no cap, if not said.")
    patience: int | None = Field(
        default=None,
        ge=0,
        description="Epochs without a better validation score before training ends; 0 trains to the end.",
    )
    batch_size: int | None = Field(default=None, gt=0, description="Rows in a step.")
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="The highest, after warming up; by kind and method, if not said.",
    )
    weight_decay: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Of AdamW.")
    warmup_share: float | None = Field(
        default=None, ge=0, lt=1, description="The share of the steps in which the learning rate rises."
    )
    max_gradient_norm: float | None = Field(default=None, gt=0, description="Longer gradients are cut to this.")
    max_length: int | None = Field(default=None, ge=8, description="Pieces of a sequence; what is longer is cut.")
    validation_rows: int | None = Field(
        default=None, ge=0, description="Validation rows of each endpoint, at most; under every or a strategy's label."
    )


class TrainingSettings(BaseModel):
    """The resolved settings of one artifact; they are part of its store key.

    ``epochs`` and ``max_steps`` (optimizer steps, None: no cap) end a training at the latest; it ends earlier when
    the mean primary metric on the validation rows has not risen for ``patience`` epochs, and the best weights are
    kept. A ``patience`` of 0 trains to the end. ``warmup_share`` of the steps warm the learning rate up, then it
    falls linearly to 0. ``max_length`` is in tokens, ``validation_rows`` per endpoint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = 20
    max_steps: int | None = None
    patience: int = 3
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    max_gradient_norm: float = 1.0
    max_length: int = 128
    validation_rows: int = 200


def resolve(artifact: Artifact, layers: tuple[SomeSettings, ...]) -> TrainingSettings:
    """The settings of one artifact: defaults of its kind and method, then ``layers``, the later one winning.

    A source has settings too: how many validation rows are fetched with a data set.
    """
    recipe = artifact.recipe
    said: dict[str, object] = {} if artifact.kind.is_source else {"learning_rate": default_learning_rate(artifact)}
    if isinstance(recipe, AdapterRecipe) and family(recipe.method) == "loreft":
        said["weight_decay"] = 0.0  # as it was when learning rates were searched for
    for layer in layers:
        said |= layer.model_dump(exclude_none=True)
    return TrainingSettings.model_validate(said)


def default_learning_rate(artifact: Artifact) -> float:
    """The learning rate that the recorded search found for this kind, or for this adapter method."""
    recipe = artifact.recipe
    if isinstance(recipe, AdapterRecipe):
        return METHOD_LEARNING_RATES.get(family(recipe.method), LEARNING_RATES[Kind.ADAPTER])
    return LEARNING_RATES[artifact.kind]
