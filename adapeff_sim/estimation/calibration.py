"""How long steps and requests take on one device: rates fitted to real ones that were timed there.

seconds of a part = its rates x what decides them

    data        a step, a piece (of text, padding included)
    forward     a step, a product, an operation, an element
    backward    a step, a product, an operation, an element, a trained parameter
    optimizer   a step, a trained weight, a trained parameter
    answering   a batch, a product, an operation, an element, a parameter that is multiplied with
                (without gradients: serving and validating; few rows wait for the weights to be read from memory)

``steps`` of a network over batches of one shape -> ``Calibration.train_seconds`` ; a batch that is only answered ->
``Calibration.answer_seconds``. Both hold for the device, threads and precision that stand in the calibration, and the
errors that it tells were found on shapes which the fit had not seen.
"""

import datetime
import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adapeff_sim.estimation.flops import HeadShape, NetworkShape, StepWork, step_work
from adapeff_sim.estimation.parameters import parameters

Part = Literal["data", "forward", "backward", "optimizer", "answering"]
PARTS: tuple[Part, ...] = ("data", "forward", "backward", "optimizer")  # of a step of training


class _Frozen(BaseModel):
    """What a calibration's file is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Rates(_Frozen):
    """Seconds for each of what decides how long one part of a step takes."""

    step: float = Field(default=0.0, ge=0)
    piece: float = Field(default=0.0, ge=0)
    product: float = Field(default=0.0, ge=0)
    operation: float = Field(default=0.0, ge=0)
    element: float = Field(default=0.0, ge=0)
    weight: float = Field(default=0.0, ge=0)
    parameter: float = Field(default=0.0, ge=0)

    def seconds(self, amounts: "Rates") -> float:
        """The seconds of one step for so much of each."""
        return math.fsum(getattr(self, name) * getattr(amounts, name) for name in Rates.model_fields)


class Point(_Frozen):
    """One shape that was timed: what it was, what it took by part, and whether the fit saw it."""

    name: str
    part: Part
    amounts: Rates  # how much there was of each, not seconds
    measured_seconds: float = Field(gt=0)
    repeats: int = Field(ge=1)
    is_held_out: bool


class Calibration(_Frozen):
    """What was fitted on one device, with the points that it rests on."""

    format: Literal[1] = 1
    device: str  # as records call it, such as "cpu (NAME OF THE PROCESSOR)"
    threads: int = Field(ge=1)
    precision: Literal["fp32", "bf16"]
    date: datetime.date
    versions: dict[str, str]  # of the packages whose arithmetic was timed
    others_load: float | None = Field(default=None, ge=0)  # share of the cores at work just before; None: not known
    rates: dict[Part, Rates]
    after_idle: float = Field(default=1.0, ge=1)  # a request after idling, as so many of one of many in a row
    points: tuple[Point, ...]

    @field_validator("rates")
    @classmethod
    def _of_every_part(cls, rates: dict[Part, Rates]) -> dict[Part, Rates]:
        """Refuse a calibration that could not tell the seconds of some part."""
        if missing := {*PARTS, "answering"} - rates.keys():
            raise ValueError(f"no rates of {', '.join(sorted(missing))}")
        return rates

    @property
    def is_assumed(self) -> bool:
        """Never: its rates were measured."""
        return False

    def train_seconds(
        self, network: NetworkShape, head: HeadShape, sequences: int, length: int, steps: int = 1
    ) -> dict[str, float]:
        """Seconds of ``steps`` steps over such a batch, by part: ``train_data_seconds``, ...; NoClosedForm if none is.

        ``train_seconds`` is their sum.
        """
        found = {
            f"train_{part}_seconds": steps * self.rates[part].seconds(amounts)
            for part, amounts in training_amounts(network, head, sequences, length).items()
        }
        return {**found, "train_seconds": math.fsum(found.values())}

    def answer_seconds(self, network: NetworkShape, head: HeadShape, sequences: int, length: int) -> float:
        """Seconds in which one batch is answered, ids on the CPU to answers there; NoClosedForm if there is none."""
        return self.rates["answering"].seconds(answering_amounts(network, head, sequences, length))

    def predicted_seconds(self, point: Point) -> float:
        """What the fit says of a point."""
        return self.rates[point.part].seconds(point.amounts)


def training_amounts(network: NetworkShape, head: HeadShape, sequences: int, length: int) -> dict[Part, Rates]:
    """How much a training step has of what decides the seconds of each part."""
    work = step_work(network, head, sequences, length)
    flops, trained = work.flops, parameters(network, [head]).trained
    return {
        "data": Rates(step=1, piece=sequences * length),
        "forward": _forward(work),
        "backward": Rates(
            step=1,
            product=work.gradient_products,
            operation=flops.activation_gradient + flops.weight_gradient,
            element=work.gradient_elements,
            parameter=trained,
        ),
        "optimizer": Rates(step=1, weight=work.weights, parameter=trained),
    }


def answering_amounts(network: NetworkShape, head: HeadShape, sequences: int, length: int) -> Rates:
    """How much answering one batch has of what decides its seconds."""
    read = parameters(network, [head]).non_embedding
    return _forward(step_work(network, head, sequences, length)).model_copy(update={"parameter": float(read)})


def _forward(work: StepWork) -> Rates:
    return Rates(step=1, product=work.products, operation=work.flops.forward, element=work.elements)
