"""`project_to` of a scenario: the size of production that its run is carried to."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapeff_sim.errors import DataError
from adapeff_sim.estimation.stated import KNOWN, STATED, config_for, resolve
from adapeff_sim.near_names import choices
from adapeff_sim.scenario.words import refused, shown, understood

# Dense 16-bit peaks (operations a second) of the makers' public data sheets.
PEAKS = {"h100": 9.9e14, "h200": 9.9e14, "a100": 3.12e14, "l40s": 3.6e14, "l4": 1.2e14, "v100": 1.25e14, "t4": 6.5e13}
TRAINING_SHARE = 1 / 6  # of the peak; assumed, not measured, as in the shipped price books
ANSWERING_SHARE = 1 / 60  # one request at a time uses about a tenth of what training sustains; assumed as there


class ProjectTo(BaseModel):
    """The size of production: which base model, how many rows, on which device, how many trainings in place of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    base_model: str = Field(
        min_length=1,
        description="A public encoder, such as hub:FacebookAI/xlm-roberta-large, or shape:layers=24,hidden=1024,... .",
    )
    examples_per_endpoint: int = Field(gt=0, le=10**9, description="Labelled rows of an endpoint at its launch.")
    validation_examples_per_endpoint: int | None = Field(
        default=None,
        gt=0,
        le=10**9,
        description="Validation rows of an endpoint, answered after every epoch; as many as in the run, if not said.",
    )
    test_examples_per_endpoint: int | None = Field(
        default=None,
        gt=0,
        le=10**9,
        description="Test rows of an endpoint, answered at every re-validation; as many as in the run, if not said.",
    )
    device: str = Field(
        min_length=1,
        description="One whose peak is known (h100, h200, a100, l40s, l4, v100, t4), or any other.",
    )
    trials: int = Field(default=1, ge=1, le=10_000, description="Trainings in place of each, to search settings.")
    flops_per_second: float | None = Field(
        default=None,
        ge=1,
        le=1e24,
        description="What the device sustains while training, if not known here; a calibration goes before.",
    )

    @field_validator("base_model")
    @classmethod
    def _has_a_shape(cls, name: str) -> str:
        """Refuse a base model whose shape is not known."""
        try:
            resolve(spec_of(name))
        except DataError:
            told = choices(name, KNOWN, other=f"give {STATED}...")
            raise ValueError(f"is {shown(name)}, whose shape is not known; {told}") from None
        return name

    @model_validator(mode="after")
    def _has_a_rate(self) -> Self:
        """Refuse a device that nobody knows a rate of."""
        if self.flops_per_second is None and self.device.casefold() not in PEAKS:
            known = ", ".join(PEAKS)
            text = f"is {shown(self.device)}, whose rate is not known; give flops_per_second too, or one of {known}"
            raise refused(self, [(("device",), text)])
        return self

    @property
    def encoder(self) -> dict[str, Any]:
        """What of the base model's config.json decides its shape."""
        return dict(config_for(resolve(spec_of(self.base_model))))

    @property
    def rates(self) -> tuple[float, float, str]:
        """Operations a second while training and while answering, and where they come from."""
        if self.flops_per_second is not None:
            share = ANSWERING_SHARE / TRAINING_SHARE
            return self.flops_per_second, share * self.flops_per_second, "stated in the scenario; a tenth for requests"
        peak = PEAKS[self.device.casefold()]
        told = f"assumed: a sixth of a dense 16-bit peak of {peak:.2g} a second, a sixtieth for single requests"
        return peak * TRAINING_SHARE, peak * ANSWERING_SHARE, told


def spec_of(name: str) -> str:
    """The stated base model that a public name stands for; its files are not asked for."""
    if name.startswith(STATED):
        return name
    return STATED + name.removeprefix("hub:").partition("@")[0].rpartition("/")[2]


def project_to_of(value: Any) -> ProjectTo:
    """The target in a file's values. Raises ValidationError in this file's words."""
    return value if isinstance(value, ProjectTo) else understood(ProjectTo, value)
