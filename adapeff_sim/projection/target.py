"""The size of production that a small run is carried to."""

from pydantic import Field, JsonValue

from adapeff_sim.estimation.assumptions import AssumedPace, Pace
from adapeff_sim.estimation.calibration import Calibration
from adapeff_sim.ledger.outcome import Row


class Target(Row):
    """The size of production; without a ``calibration`` seconds follow from the assumed rates (operations a second)."""

    base_model: str
    encoder: dict[str, JsonValue]  # what of its config.json decides its shape
    examples_per_endpoint: int = Field(gt=0)
    device: str
    trials: int = Field(default=1, gt=0)  # trainings in place of each: settings are searched at full size
    train_flops_per_second: float = Field(gt=0)
    answer_flops_per_second: float = Field(gt=0)
    rates_from: str
    calibration: Calibration | None = None

    @property
    def pace(self) -> Pace:
        """How long a step takes on its device."""
        return self.calibration or AssumedPace(self.device, self.train_flops_per_second)

    @property
    def serving_pace(self) -> Pace:
        """How long a request takes on its device."""
        return self.calibration or AssumedPace(self.device, self.answer_flops_per_second)
