"""SPEN: subgraph permutation-equivariant networks for whole graphs."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch_geometric.nn import MLP

from graphlab.subgraph.bags import Bags
from graphlab.subgraph.graph_pool import GraphPool
from graphlab.subgraph.spen_encoder import SPENEncoder


class SPEN(nn.Module):
    r"""Subgraph permutation-equivariant network of graphs (Mitton and Murray-Smith, 2021, arXiv 2111.11840).

    .. math::
        y_G = \text{MLP}\left( \operatorname*{pool}_{v \in G} h_v \right)

    where :math:`h_v` is what a :class:`SPENEncoder` reads off the ego net of :math:`v`.

    Args:
        in_channels: Width of the node features.
        hidden_channels: Width of each map in a layer.
        out_channels: Width of the result: the number of classes or targets.
        num_layers: Number of layers, of which the readout is the last. Default: 4.
        num_hops: How far ego nets reach. Default: 1.
        size_classes: The smallest size of each class of bags that share weights. Default: ``(2, 3, 4, 5)``.
        product: Whether layers have the matrix product inside each bag. Default: no.
        norm: ``"batch_norm"``, ``"graph_norm"`` or ``None``.
        normalize: Whether the adjacency is normalised by the degrees. Default: yes.
        edge_dim: Width of the edge features; 0 for none.
        jk: ``"last"`` to read off the last layer, ``"cat"`` to read off every layer. Default: ``"last"``.
        pool: How the nodes of a graph come together: ``"mean"`` as in the paper, or ``"sum"``, which also sees how many
            they are and is normalised by ``norm``. Default: ``"mean"``.
        head_channels: Widths of the hidden layers of the perceptron at the end. Default: ``(256, 128)``.
        dropout: Fraction of hidden units dropped in that perceptron. Default: 0.5.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **edge_index:** ``(2, num_edges)``
        - **batch:** ``(num_nodes,)``
        - **output:** ``(batch_size, out_channels)``

    Raises:
        ValueError: An argument is wrong, or the arguments of ``forward`` do not fit together.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import SPEN
        >>> net = SPEN(in_channels=3, hidden_channels=8, out_channels=2).eval()
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> net(torch.ones(3, 3), path).shape
        torch.Size([1, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 4,
        num_hops: int = 1,
        size_classes: Sequence[int] = (2, 3, 4, 5),
        product: bool = False,
        norm: str | None = "batch_norm",
        normalize: bool = True,
        edge_dim: int = 0,
        jk: str = "last",
        pool: str = "mean",
        head_channels: Sequence[int] = (256, 128),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.encoder = SPENEncoder(
            in_channels, hidden_channels, num_layers, num_hops, size_classes, product, norm, normalize, edge_dim, jk
        )
        self.pool = GraphPool(self.encoder.out_channels, pool, norm)
        self.head = MLP([self.encoder.out_channels, *head_channels, out_channels], norm=None, dropout=float(dropout))

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.encoder.reset_parameters()
        self.pool.reset_parameters()
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
        """Return a vector of each graph.

        Args:
            x: Node features.
            edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
            batch: The graph of each node, ascending; by default all are of one.
            batch_size: The number of graphs.
            edge_attr: Edge features, where the network takes any.
            bags: The ego nets, where they were extracted before.
        """
        nodes = self.encoder(x, edge_index, batch, batch_size, edge_attr, bags)
        return self.head(self.pool(nodes, batch, batch_size))
