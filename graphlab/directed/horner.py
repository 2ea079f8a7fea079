"""Polynomials of an operator, one propagation per order."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from graphlab.directed.operator import Operator

Decay = Literal["none", "exp", "lin"]


class Horner(nn.Module):
    r"""A polynomial of an operator, each power with its own linear map.

    .. math::
        Y = \sum_{k = k_0}^{K} c_k \, M^k X W_k = M (c_1 X W_1 + M (c_2 X W_2 + \dots)), \qquad
        c_0 = 1, \quad c_k = 1, \; 2^{-k} \text{ or } 1 / k

    All maps are applied first, in one go; then each order is one propagation at the width of the result.

    Args:
        linear: Makes, for a number of powers, the map of ``x`` to all :math:`X W_k` side by side.
        order: The highest power :math:`K`.
        decay: The weights of the powers: ``"none"`` for 1, ``"exp"`` for :math:`2^{-k}`, ``"lin"`` for :math:`1 / k`.
        zero_order: Whether the sum starts at :math:`k_0 = 0`, not 1.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``order`` is below 1, or ``decay`` is unknown.
    """

    def __init__(
        self, linear: Callable[[int], nn.Module], order: int = 1, decay: Decay = "exp", zero_order: bool = False
    ) -> None:
        super().__init__()
        self.order, self.decay, self.zero_order = order, decay, zero_order
        self.coefficients = coefficients(order, decay, zero_order)
        self.linear = linear(len(self.coefficients))

    def forward(self, x: Tensor, operator: Operator) -> Tensor:
        """Transform, then propagate order by order."""
        *lower, (highest, term) = zip(
            self.coefficients, self.linear(x).chunk(len(self.coefficients), dim=1), strict=True
        )
        result = term * highest
        for coefficient, term in reversed(lower):
            result = torch.add(operator @ result, term, alpha=coefficient)
        return result if self.zero_order else operator @ result

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        self.linear.reset_parameters()  # pyright: ignore[reportCallIssue]

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``."""
        return f"order={self.order}, decay={self.decay!r}, zero_order={self.zero_order}"


def coefficients(order: int, decay: str, zero_order: bool) -> list[float]:
    """Give the weights of all powers, from the lowest.

    Args:
        order: The highest power.
        decay: ``"none"``, ``"exp"`` or ``"lin"``.
        zero_order: Whether the lowest power is 0, not 1.

    Raises:
        ValueError: ``order`` is below 1, or ``decay`` is unknown.
    """
    if order < 1:
        raise ValueError(f"'order' must be 1 or more, got {order}; without propagation use a linear layer")
    if decay not in get_args(Decay):
        raise ValueError(f"'decay' must be one of {', '.join(map(repr, get_args(Decay)))}, got {decay!r}")
    powers = range(1, order + 1)
    weights = {"none": [1.0 for _ in powers], "exp": [2.0**-k for k in powers], "lin": [1.0 / k for k in powers]}
    return [1.0] * zero_order + weights[decay]
