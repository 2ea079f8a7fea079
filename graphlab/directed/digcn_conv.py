"""DiGCN's layer: a graph convolution on an operator from a personalised PageRank."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.digcn_operators import page_rank_operator
from graphlab.directed.gathered_linear import GatheredLinear
from graphlab.directed.operator import Operator
from graphlab.directed.prepared_conv import PreparedConv


class DiGCNConv(PreparedConv):
    r"""DiGCN's layer.

    .. math::
        X' = \hat L X W + b

    Of `Digraph Inception Convolutional Networks <https://arxiv.org/abs/2010.13973>`_ (Tong et al., 2020), where
    :math:`\hat L` is :func:`graphlab.directed.page_rank_operator`. It is made once for equal edges and remembered.

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
        teleport: Probability with which the walk goes to any node, between 0 and 1.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``teleport`` is out of range; the edges are malformed.

    Example:
        >>> import torch
        >>> from graphlab.directed import DiGCNConv
        >>> conv = DiGCNConv(8, 16)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 16])
    """

    def __init__(self, in_channels: int, out_channels: int, teleport: float = 0.1) -> None:
        super().__init__(in_channels, out_channels)
        check_teleport(teleport)
        self.teleport = teleport
        self.linear = GatheredLinear(in_channels, out_channels)
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Operator:
        """Make the operator, or find it made.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """
        graph, weight = checked_edges(edge_index, edge_weight, num_nodes)
        return page_rank_operator(graph, weight, num_nodes=num_nodes, teleport=self.teleport)

    def convolve(self, x: Tensor, edges: Operator) -> Tensor:
        """Run the layer on edges that were prepared.

        Args:
            x: Node features.
            edges: What :meth:`prepare` gave.
        """
        return self.linear(x, edges) + self.bias

    def reset_parameters(self) -> None:
        """Draw new weights, as the paper's authors do; the bias starts at 0."""
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.zeros_(self.bias)


def check_teleport(teleport: float) -> None:
    """Refuse what is no probability between 0 and 1.

    Args:
        teleport: Probability with which the walk goes to any node.

    Raises:
        ValueError: It is not between 0 and 1.
    """
    if not 0 < teleport < 1:
        raise ValueError(f"'teleport' must lie between 0 and 1, got {teleport}; 0.1 is usual")
