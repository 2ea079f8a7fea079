"""The graph convolution of GCN."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.edges import edges_of_gcn
from graphlab.directed.gathered_linear import GatheredLinear
from graphlab.directed.operator import Operator


class GCNConv(nn.Module):
    r"""Graph convolution (Kipf & Welling, 2016, arXiv 1609.02907).

    .. math::
        Y = \hat A^\top X W + b

    with :math:`\hat A` of :func:`graphlab.directed.gcn_norm`: messages go along the edges. The narrower side
    is propagated.

    Args:
        in_channels: Columns of ``x``.
        out_channels: Columns of the result.
        bias: Whether to add a learned vector.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **output:** ``(num_nodes, out_channels)``
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.linear = GatheredLinear(in_channels, out_channels)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.linear.reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Transform and propagate; ``edge_index`` may be an :class:`Operator` to propagate with."""
        if not isinstance(edge_index, Operator):
            edge_index = edges_of_gcn(x, edge_index, edge_weight)
        out = self.linear(x, edge_index)
        return out if self.bias is None else out + self.bias

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels})"
