"""The convolution of graph attention networks."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.checks import check_heads
from graphlab.directed.edges import unweighted_edges
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.ops import gat_attention


class GATConv(nn.Module):
    r"""Graph attention (Veličković et al., 2017, arXiv 1710.10903), its heads side by side.

    .. math::
        y_{i,h} = \sum_{j \to i} \text{softmax}_j(\text{LeakyReLU}(\langle a_h, W_h x_j \rangle +
        \langle b_h, W_h x_i \rangle)) \, W_h x_j + c_h

    Each node has exactly one edge to itself.

    Args:
        in_channels: Columns of ``x``.
        out_channels: Columns of the result, of all heads together.
        heads: Number of heads.
        bias: Whether to add a learned vector.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``heads`` does not divide ``out_channels``.
    """

    def __init__(self, in_channels: int, out_channels: int, heads: int = 1, bias: bool = True) -> None:
        super().__init__()
        check_heads(out_channels, heads)
        self.in_channels, self.out_channels, self.heads = in_channels, out_channels, heads
        self.linear = FeatureLinear(in_channels, out_channels, bias=False)
        self.att_src = nn.Parameter(torch.empty(heads, out_channels // heads))
        self.att_dst = nn.Parameter(torch.empty(heads, out_channels // heads))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.linear.reset_parameters()
        nn.init.xavier_uniform_(self.att_src)
        nn.init.xavier_uniform_(self.att_dst)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Attend to the neighbours."""
        graph = unweighted_edges(x, edge_index, edge_weight, "attention, which weighs edges itself").with_self_loops()
        value = self.linear(x).view(x.size(0), self.heads, self.out_channels // self.heads)
        out = gat_attention((value * self.att_src).sum(-1), (value * self.att_dst).sum(-1), value, graph).flatten(1)
        return out if self.bias is None else out + self.bias

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, heads={self.heads})"
