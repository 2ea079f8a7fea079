"""FAGCN: signed weights of edges, so that a neighbour may be added or taken away."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.checks import at_least
from graphlab.directed.dropout import Dropout
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.node_network import NodeNetwork
from graphlab.directed.normalization import dir_norm
from graphlab.directed.operator import Operator


class SignedGate(nn.Module):
    r"""Weights of the edges between -1 and 1 from both ends.

    .. math::
        \alpha_e = \tanh(g^\top h_i + f^\top h_j), \qquad e = (j \to i)

    Args:
        channels: Width of the features.
        dropout: Fraction of edges dropped while training.

    Shapes:
        - **h:** ``(num_nodes, channels)``, **edge_index:** ``(2, num_edges)``
        - **output:** ``(num_edges,)``
    """

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.ends = nn.Linear(channels, 2, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
        """Score each edge."""
        of_source, of_target = self.ends(h).T
        return self.dropout(torch.tanh(of_source[edge_index[0]] + of_target[edge_index[1]]))


class FAGCN(NodeNetwork):
    r"""Frequency-adaptive graph convolution (Bo et al., 2021, arXiv 2101.00797).

    .. math::
        h^{(0)} = \text{ReLU}(W_1 X), \qquad
        h^{(l)}_i = \epsilon h^{(0)}_i + \sum_{e = (j \to i)}
        \frac{\tanh(g_l^\top [h^{(l-1)}_i \| h^{(l-1)}_j])}{\sqrt{d_i d_j}} h^{(l-1)}_j, \qquad
        Y = W_2 h^{(L)}

    :math:`d_i` counts the edges into :math:`i`, :math:`d_j` those out of :math:`j`; no loops are added. The layer is
    ``torch_geometric.nn.FAConv`` with ``add_self_loops=False``; ours makes one number per edge and no messages.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of the layers.
        out_channels: Number of classes.
        num_layers: Number of layers.
        eps: The share of the first features in each layer.
        dropout: Fraction of features, hidden units and edges dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``num_layers`` is negative, or weights make a degree negative.

    Example:
        >>> import torch
        >>> from graphlab.directed import FAGCN
        >>> net = FAGCN(3, 8, 2, num_layers=4)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        eps: float = 0.3,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        at_least("num_layers", num_layers, 0)
        self.eps = eps
        self.first = FeatureLinear(in_channels, hidden_channels)
        self.gates = nn.ModuleList(SignedGate(hidden_channels, dropout) for _ in range(num_layers))
        self.head = nn.Linear(hidden_channels, out_channels)
        self.dropout = Dropout(dropout)

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        graph, edge_weight = checked_edges(edge_index, edge_weight, x.size(0))
        normalized = dir_norm(graph, edge_weight, num_nodes=x.size(0)).T
        index, norm = normalized.entries()
        ends, norm = index.flip(0), norm.to(x.dtype)
        first = h = self.dropout(self.first(self.dropout(x)).relu())
        for gate in self.gates:
            h = Operator(normalized.graph, gate(h, ends) * norm) @ h + self.eps * first
        return self.head(h)
