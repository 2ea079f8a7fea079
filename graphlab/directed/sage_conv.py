"""The convolution of GraphSAGE with the mean of the neighbours."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.edges import unweighted_edges
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.ops import gather_reduce


class SAGEConv(nn.Module):
    r"""GraphSAGE with the mean (Hamilton et al., 2017, arXiv 1706.02216).

    .. math::
        y_i = W_1 x_i + \frac{1}{|N(i)|} \sum_{j \to i} W_2 x_j + b

    The narrower side is propagated, so that features may be sparse.

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
        self.own = FeatureLinear(in_channels, out_channels, bias=bias)
        self.neighbors = FeatureLinear(in_channels, out_channels, bias=False)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.own.reset_parameters()
        self.neighbors.reset_parameters()

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Add the transformed node and the mean of its transformed neighbours."""
        graph = unweighted_edges(x, edge_index, edge_weight, "a mean of neighbours")
        if x.layout == torch.strided and self.in_channels < self.out_channels:
            return self.own(x) + self.neighbors(gather_reduce(x, graph, reduce="mean"))
        return self.own(x) + gather_reduce(self.neighbors(x), graph, reduce="mean")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels})"
