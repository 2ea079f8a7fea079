"""ACM-GCN: layers that mix low-pass, high-pass and identity filters."""

from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from graphlab.directed.acm_conv import ACMConv
from graphlab.directed.checks import at_least
from graphlab.directed.dropout import Dropout
from graphlab.directed.edges import unweighted_edges
from graphlab.directed.node_network import NodeNetwork


class ACMGCN(NodeNetwork):
    r"""A stack of :class:`graphlab.directed.ACMConv` (Luan et al., 2022, arXiv 2210.07606).

    .. math::
        h^{(k)} = \text{ACM}_k(\text{dropout}(h^{(k-1)})), \qquad h^{(0)} = X, \quad Y = h^{(K)}

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of all layers but the last.
        out_channels: Number of classes.
        num_layers: Number of layers.
        dropout: Fraction of features and hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``num_layers`` is less than 1, or there are edge weights, which a mean does not read.

    Example:
        >>> import torch
        >>> from graphlab.directed import ACMGCN
        >>> net = ACMGCN(3, 8, 2)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, out_channels: int, num_layers: int = 2, dropout: float = 0.5
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        at_least("num_layers", num_layers, 1)
        widths = [in_channels, *[hidden_channels] * (num_layers - 1), out_channels]
        self.convs = nn.ModuleList(ACMConv(i, o) for i, o in pairwise(widths))
        self.dropout = Dropout(dropout)

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        graph = unweighted_edges(x, edge_index, edge_weight, "a mean of neighbours")
        for conv in self.convs:
            x = conv(self.dropout(x), graph)
        return x
