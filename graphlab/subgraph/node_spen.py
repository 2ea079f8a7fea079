"""SPEN for nodes."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import MLP

from graphlab.subgraph.bags import Bags
from graphlab.subgraph.checked_features import checked_features
from graphlab.subgraph.spen_encoder import SPENEncoder


class NodeSPEN(nn.Module):
    r"""Subgraph permutation-equivariant network of nodes (Mitton and Murray-Smith, 2021, arXiv 2111.11840).

    .. math::
        y_v = \text{MLP}(h_v), \qquad h = \text{SPENEncoder}(x W)

    where :math:`h_v` is what a :class:`SPENEncoder` reads off the ego net of :math:`v`. Features are narrowed to
    ``hidden_channels`` first: those of nodes are often wide, and there are many more pairs than nodes.

    Args:
        in_channels: Width of the node features.
        hidden_channels: Width of each map in a layer.
        out_channels: Width of the result: the number of classes or targets.
        num_layers: Number of layers, of which the readout is the last. Default: 3.
        num_hops: How far ego nets reach. Default: 1.
        size_classes: The smallest size of each class of bags that share weights. Default: ``(1,)``, one class.
        product: Whether layers have the matrix product inside each bag. Default: no.
        norm: ``"batch_norm"``, ``"graph_norm"`` or ``None``.
        normalize: Whether the adjacency is normalised by the degrees. Default: yes.
        edge_dim: Width of the edge features; 0 for none.
        jk: ``"last"`` to read off the last layer, ``"cat"`` to read off every layer. Default: ``"last"``.
        head_channels: Widths of the hidden layers of the perceptron at the end. Default: none.
        dropout: Fraction of features and of hidden units dropped. Default: 0.5.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **edge_index:** ``(2, num_edges)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is wrong, or the arguments of ``forward`` do not fit together.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import NodeSPEN
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> NodeSPEN(in_channels=3, hidden_channels=8, out_channels=2).eval()(torch.ones(3, 3), path).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 3,
        num_hops: int = 1,
        size_classes: Sequence[int] = (1,),
        product: bool = False,
        norm: str | None = "batch_norm",
        normalize: bool = True,
        edge_dim: int = 0,
        jk: str = "last",
        head_channels: Sequence[int] = (),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.dropout = float(dropout)
        self.narrow = nn.Linear(in_channels, hidden_channels)
        self.encoder = SPENEncoder(
            hidden_channels, hidden_channels, num_layers, num_hops, size_classes, product, norm, normalize, edge_dim, jk
        )
        self.head = MLP([self.encoder.out_channels, *head_channels, out_channels], norm=None, dropout=self.dropout)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.narrow.reset_parameters()
        self.encoder.reset_parameters()
        self.head.reset_parameters()

    def forward(
        self,
        x: Tensor,
        edge_index: Any,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        edge_attr: Tensor | None = None,
        bags: Bags | None = None,
    ) -> Tensor:
        """Return a vector of each node.

        Args:
            x: Node features.
            edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
            batch: The graph of each node, ascending; by default all are of one. Only ``"graph_norm"`` asks.
            batch_size: The number of graphs.
            edge_attr: Edge features, where the network takes any.
            bags: The ego nets, where they were extracted before.
        """
        x = checked_features(x, self.narrow.in_features, self.narrow.weight.dtype)
        x = self.narrow(F.dropout(x, self.dropout, self.training))
        nodes = self.encoder(x, edge_index, batch, batch_size, edge_attr, bags)
        return self.head(F.dropout(nodes, self.dropout, self.training))
