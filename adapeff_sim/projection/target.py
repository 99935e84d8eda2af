"""The size of production that a small run is carried to."""

from collections.abc import Iterator

from pydantic import Field, JsonValue

from adapeff_sim.estimation.assumptions import (
    LOAD_BYTES_PER_SECOND,
    LOAD_SOURCE,
    AssumedPace,
    Assumption,
    Pace,
    Sure,
)
from adapeff_sim.estimation.calibration import Calibration
from adapeff_sim.ledger.outcome import Provenance, Row


class Target(Row):
    """The size of production; without a ``calibration`` seconds follow from rates (operations a second).

    Rows of validation and test are as many as in the run where nobody says how many there are.
    """

    base_model: str
    encoder: dict[str, JsonValue]  # what of its config.json decides its shape
    examples_per_endpoint: int = Field(gt=0)
    validation_examples_per_endpoint: int | None = Field(default=None, gt=0)
    test_examples_per_endpoint: int | None = Field(default=None, gt=0)
    device: str
    trials: int = Field(default=1, gt=0)  # trainings in place of each: settings are searched at full size
    train_flops_per_second: float = Field(gt=0)
    answer_flops_per_second: float = Field(gt=0)
    rates_from: str
    is_rate_stated: bool = False  # of training; that of single requests is assumed from it
    calibration: Calibration | None = None

    @property
    def pace(self) -> Pace:
        """How long a step takes on its device."""
        return self.calibration or AssumedPace(self.device, self.train_flops_per_second, not self.is_rate_stated)

    @property
    def serving_pace(self) -> Pace:
        """How long a request takes on its device."""
        return self.calibration or AssumedPace(self.device, self.answer_flops_per_second)

    def assumptions(self, epochs: Provenance) -> Iterator[Assumption]:
        """What a projection takes for granted, besides prices and what the scenario says; ``epochs``: of the run's."""
        if self.calibration is not None:
            yield _taken("seconds", None, "", "measured", self.rates_from)
        else:
            train: Sure = "stated" if self.is_rate_stated else "assumed"
            yield _taken(f"{self.device}, training", self.train_flops_per_second, "FLOP/s", train, self.rates_from)
            answer = self.answer_flops_per_second
            yield _taken(f"{self.device}, one request", answer, "FLOP/s", "assumed", self.rates_from)
        yield _taken("loading", LOAD_BYTES_PER_SECOND, "bytes/s", "assumed", LOAD_SOURCE)
        carried: Sure = "estimated" if epochs == "estimated" else "assumed"
        carried = "measured" if epochs in ("measured", "reused") else carried
        yield _taken("epochs of each training", None, "", carried, "the run; more rows may need fewer")
        yield _taken("lengths of rows and requests, heads", None, "", "measured", "the run")
        held_out = {"validation": self.validation_examples_per_endpoint, "test": self.test_examples_per_endpoint}
        for split, rows in held_out.items():
            key = f"project_to: {split}_examples_per_endpoint"
            if rows is None:
                yield _taken(f"{split} rows", None, "", "assumed", f"as many as in the run; {key} says another number")
            else:
                yield _taken(f"{split} rows of an endpoint", float(rows), "rows", "stated", f"the scenario, {key}")


def _taken(what: str, value: float | None, unit: str, provenance: Sure, source: str) -> Assumption:
    return Assumption(what=what, value=value, unit=unit, provenance=provenance, source=source)
