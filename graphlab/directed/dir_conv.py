"""What all convolutions share that treat the two directions of an edge apart."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from graphlab.directed.alpha import Alpha
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.operator import Operator
from graphlab.directed.prepared_conv import PreparedConv, draw_bias


class Directions(NamedTuple):
    """What the edges say, ready for any number of layers."""

    out: Operator
    """Gathers from out-neighbours."""
    into: Operator
    """Gathers from in-neighbours."""


class DirConv(PreparedConv):
    r"""Base of layers that mix what came along and against the edges.

    .. math::
        x'_i = \alpha \, f_{out}(x)_i + (1 - \alpha) \, f_{in}(x)_i + W_0 x_i + b

    Of `Edge Directionality Improves Learning on Heterophilic Graphs <https://arxiv.org/abs/2305.10498>`_ (Rossi et
    al., 2023). Where :math:`\alpha` is fixed at 0 or 1, the direction that does not count is neither computed nor
    given parameters.

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
        direction: Makes :math:`f_{out}` and :math:`f_{in}`, which are called with ``x`` and an operator.
        alpha: Weight of out-neighbours, in [0, 1].
        learn_alpha: Whether ``alpha`` is learned, as the sigmoid of a parameter.
        root_weight: Whether a node's own features enter through :math:`W_0`.

    Raises:
        ValueError: ``alpha`` is outside [0, 1], or at an end of it and to be learned.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        direction: Callable[[int, int], nn.Module],
        alpha: float,
        learn_alpha: bool,
        root_weight: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels)
        self.alpha = Alpha(alpha, learn_alpha)
        self.out = direction(in_channels, out_channels) if self.alpha.uses_out else None
        self.into = direction(in_channels, out_channels) if self.alpha.uses_in else None
        self.root = FeatureLinear(in_channels, out_channels, bias=False) if root_weight else None
        self.bias = nn.Parameter(torch.empty(out_channels))
        draw_bias(self.bias, in_channels)

    def convolve(self, x: Tensor, edges: Directions) -> Tensor:
        """Run the layer on edges that were prepared.

        Args:
            x: Node features.
            edges: What ``prepare`` gave.
        """
        of_out = None if self.out is None else self.out(x, edges.out)
        of_in = None if self.into is None else self.into(x, edges.into)
        result = self.alpha.mix(of_out, of_in) + self.bias
        return result if self.root is None else result + self.root(x)

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for part in self.children():
            part.reset_parameters()  # pyright: ignore[reportCallIssue]
        draw_bias(self.bias, self.in_channels)
