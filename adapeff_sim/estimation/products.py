"""The sums over the matrix products of one step: operations, and what else of them decides how long they take."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class Products:
    """What was summed up so far; an operation is a multiplication or an addition.

    A gradient of what does not depend on the batch (``apart``, ``of_weights``) counts as one of weights, wherever
    it flows: positions that are projected, matrices that are made of others.
    """

    forward: int = 0
    activation: int = 0
    weight: int = 0
    products: int = 0
    elements: int = 0
    gradient_products: int = 0
    gradient_elements: int = 0
    weights: int = 0

    def linear(
        self,
        rows: int,
        sizes: tuple[int, int],
        flows: bool,
        trained: bool,
        apart: bool = False,
        again: bool = False,
        fold: int = 1,
    ) -> bool:
        """A product with a weight of inputs x outputs; gives whether a gradient flows back into its result.

        ``flows``: one flows back into its input. ``again``: the weight was used before. ``fold``: every result comes
        from so many neighbouring rows, as in a convolution, each with a weight of its own.
        """
        inputs, outputs = sizes
        operations = 2 * rows * inputs * outputs * fold
        self._operations(operations, flows and not apart, trained + (flows and apart))
        self._numbers(rows * outputs, flows + trained, rows * inputs * flows + inputs * outputs * fold * trained)
        self.weights += trained and not again
        return flows or trained

    def product(self, times: int, sizes: tuple[int, int, int], left: bool, right: bool, of_weights: int = 0) -> bool:
        """``times`` products of rows x inner x columns each; gives whether a gradient flows back into their results.

        ``left``, ``right``: one flows back into that operand. ``of_weights``: so many operands, the right one first,
        do not depend on the batch.
        """
        operations = 2 * times * math.prod(sizes)
        from_left, from_right = left and of_weights < 2, right and of_weights < 1
        self._operations(operations, from_left + from_right, (left + right) - (from_left + from_right))
        rows, inner, columns = sizes
        gradients = times * (rows * inner * left + inner * columns * right)
        self._numbers(times * rows * columns, left + right, gradients)
        return left or right

    def _operations(self, forward: int, activations: int, weights: int) -> None:
        self.forward += forward
        self.activation += forward * activations
        self.weight += forward * weights

    def _numbers(self, written: int, gradient_products: int, gradient_elements: int) -> None:
        self.products += 1
        self.elements += written
        self.gradient_products += gradient_products
        self.gradient_elements += gradient_elements
