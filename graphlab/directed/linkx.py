"""LINKX: a perceptron on features and one on the adjacency, joined late."""

from typing import Any

from torch import Tensor, nn

from graphlab.directed.adjacency_linear import AdjacencyLinear
from graphlab.directed.checks import at_least
from graphlab.directed.dropout import Dropout
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.node_network import NodeNetwork
from graphlab.directed.node_norm import NodeBatchNorm


class LINKX(NodeNetwork):
    r"""Perceptrons on adjacency and features (Lim et al., 2021, arXiv 2110.14446).

    .. math::
        H_A = \text{MLP}_A(A), \qquad H_X = \text{MLP}_X(X), \qquad
        Y = \text{MLP}_f(\text{ReLU}(W_A H_A + W_X H_X + H_A + H_X))

    The values are those of ``torch_geometric.nn.LINKX`` with the same weights; the sum over edges makes no messages,
    and features may be sparse. A perceptron's hidden layers have ReLU, batch normalisation and dropout, in that order.
    Rows of ``A`` are what comes into a node. Each node has parameters of its own.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of all layers.
        out_channels: Number of classes.
        num_nodes: Number of nodes.
        num_layers: Number of linear maps in the last perceptron.
        num_edge_layers: Number of linear maps in the perceptron on the adjacency.
        num_node_layers: Number of linear maps in the perceptron on features.
        dropout: Fraction of hidden units of the last perceptron dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: The graph has another number of nodes, or a perceptron has no layer.

    Example:
        >>> import torch
        >>> from graphlab.directed import LINKX
        >>> net = LINKX(3, 8, 2, num_nodes=4)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_nodes: int,
        num_layers: int = 2,
        num_edge_layers: int = 1,
        num_node_layers: int = 1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        at_least("num_layers", num_layers, 1)
        at_least("num_edge_layers", num_edge_layers, 1)
        at_least("num_node_layers", num_node_layers, 1)
        width = hidden_channels
        self.edge_linear = AdjacencyLinear(num_nodes, width)
        self.edge_mlp = _hidden(width, [width] * (num_edge_layers - 1), 0.0)
        self.node_linear = FeatureLinear(in_channels, width)
        self.node_mlp = _hidden(width, [width] * (num_node_layers - 1), 0.0)
        self.from_edges = nn.Linear(width, width)
        self.from_nodes = nn.Linear(width, width)
        outs = [*[width] * (num_layers - 1), out_channels]
        self.final_mlp = nn.Sequential(nn.Linear(width, outs[0]), *_hidden(outs[0], outs[1:], dropout))

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        self.edge_linear.check_nodes(x)
        edges = self.edge_mlp(self.edge_linear(edge_index, edge_weight))
        nodes = self.node_mlp(self.node_linear(x))
        return self.final_mlp((edges + self.from_edges(edges) + nodes + self.from_nodes(nodes)).relu())


def _hidden(channels: int, outs: list[int], dropout: float) -> nn.Sequential:
    """What follows a perceptron's first linear map: for each further one an activation before it."""
    parts: list[nn.Module] = []
    for width in outs:
        parts += [nn.ReLU(), NodeBatchNorm(channels), Dropout(dropout), nn.Linear(channels, width)]
        channels = width
    return nn.Sequential(*parts)
