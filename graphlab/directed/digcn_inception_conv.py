"""DiGCN's inception block: a node itself, its PageRank neighbours, and who shares neighbours with it."""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.digcn_conv import check_teleport
from graphlab.directed.digcn_operators import page_rank_operator, second_order_operator
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.gathered_linear import GatheredLinear
from graphlab.directed.operator import Operator
from graphlab.directed.prepared_conv import PreparedConv, draw_bias


class Scales(NamedTuple):
    """The operators of both scales."""

    first: Operator
    """That of the personalised PageRank."""
    second: Operator
    """Who shares both a node they reach and a node that reaches them."""


class DiGCNInceptionConv(PreparedConv):
    r"""DiGCN's inception block.

    .. math::
        X' = d(X W_0 + b_0) + d(\hat L X W_1 + b_1) + d(\hat L_2 X W_2 + b_2)

    Of `Digraph Inception Convolutional Networks <https://arxiv.org/abs/2010.13973>`_ (Tong et al., 2020), where
    :math:`d` is dropout, :math:`\hat L` is :func:`graphlab.directed.page_rank_operator` and :math:`\hat L_2` is
    :func:`graphlab.directed.second_order_operator`. Both are made once for equal edges and remembered.

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
        teleport: Probability with which the walk goes to any node, between 0 and 1.
        dropout: Fraction of each branch's units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``teleport`` is out of range; the edges are malformed.

    Example:
        >>> import torch
        >>> from graphlab.directed import DiGCNInceptionConv
        >>> conv = DiGCNInceptionConv(8, 16)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 16])
    """

    def __init__(self, in_channels: int, out_channels: int, teleport: float = 0.1, dropout: float = 0.0) -> None:
        super().__init__(in_channels, out_channels)
        check_teleport(teleport)
        self.teleport, self.dropout = teleport, dropout
        self.root = FeatureLinear(in_channels, out_channels, bias=False)
        self.first = GatheredLinear(in_channels, out_channels)
        self.second = GatheredLinear(in_channels, out_channels)
        self.biases = nn.Parameter(torch.empty(3, out_channels))
        self.reset_parameters()

    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Scales:
        """Make both operators, or find them made.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """
        graph, weight = checked_edges(edge_index, edge_weight, num_nodes)
        first = page_rank_operator(graph, weight, num_nodes=num_nodes, teleport=self.teleport)
        return Scales(first, second_order_operator(graph, weight, num_nodes=num_nodes))

    def convolve(self, x: Tensor, edges: Scales) -> Tensor:
        """Run the block on edges that were prepared.

        Args:
            x: Node features.
            edges: What :meth:`prepare` gave.
        """
        branches = (self.root(x), self.first(x, edges.first), self.second(x, edges.second))
        if not (self.training and self.dropout):
            return branches[0] + branches[1] + branches[2] + self.biases.sum(0)
        dropped = [F.dropout(y + b, self.dropout) for y, b in zip(branches, self.biases, strict=True)]
        return dropped[0] + dropped[1] + dropped[2]

    def reset_parameters(self) -> None:
        """Draw new weights, as the paper's authors do."""
        for part in (self.root, self.first, self.second):
            nn.init.xavier_uniform_(part.weight)
        draw_bias(self.biases, self.in_channels)
