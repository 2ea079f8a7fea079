"""SPEN on small ego nets with products, beside SPEN on larger ones."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import MLP

from graphlab.subgraph.bags import Bags
from graphlab.subgraph.graph_pool import GraphPool
from graphlab.subgraph.spen_encoder import SPENEncoder


class TwoScaleSPEN(nn.Module):
    r"""Two :class:`SPENEncoder` in parallel: 1-hop nets with the product inside each bag, and 2-hop nets without.

    .. math::
        y_G = \text{MLP}\left( \operatorname*{mean}_{v \in G} h^{k = 1, \times}_v \,\Vert\, h^{k = 2}_v \right)

    The two tell different graphs apart: products inside 1-hop nets see strongly regular graphs, which are alike to
    linear maps; 2-hop nets see cycles that 1-hop nets do not hold. Beyond Mitton and Murray-Smith (2021, arXiv
    2111.11840); the product is that of Maron et al. (2019, arXiv 1905.11136).

    Args:
        in_channels: Width of the node features.
        hidden_channels: Width of each map in a layer.
        out_channels: Width of the result: the number of classes or targets.
        num_layers: Number of layers, of which the readout is the last. Default: 4.
        size_classes: The smallest size of each class of 1-hop nets that share weights. Default: ``(2, 3, 4, 5)``.
        large_size_classes: Likewise of 2-hop nets. Default: ``(2, 4, 6, 8, 12)``.
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
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 4,
        size_classes: Sequence[int] = (2, 3, 4, 5),
        large_size_classes: Sequence[int] = (2, 4, 6, 8, 12),
        norm: str | None = "batch_norm",
        normalize: bool = True,
        edge_dim: int = 0,
        jk: str = "last",
        pool: str = "mean",
        head_channels: Sequence[int] = (256, 128),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        shared = {"norm": norm, "normalize": normalize, "edge_dim": edge_dim, "jk": jk}
        self.near = SPENEncoder(in_channels, hidden_channels, num_layers, 1, size_classes, True, **shared)
        self.far = SPENEncoder(in_channels, hidden_channels, num_layers, 2, large_size_classes, False, **shared)
        width = self.near.out_channels + self.far.out_channels
        self.pool = GraphPool(width, pool, norm)
        self.head = MLP([width, *head_channels, out_channels], norm=None, dropout=float(dropout))

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for module in (self.near, self.far, self.pool, self.head):
            module.reset_parameters()

    def forward(
        self,
        x: Tensor,
        edge_index: Any,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        edge_attr: Tensor | None = None,
        bags: tuple[Bags, Bags] | None = None,
    ) -> Tensor:
        """Return a vector of each graph.

        Args:
            x: Node features.
            edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
            batch: The graph of each node, ascending; by default all are of one.
            batch_size: The number of graphs.
            edge_attr: Edge features, where the network takes any.
            bags: The 1-hop and the 2-hop ego nets, where they were extracted before.
        """
        if bags is not None and len(bags) != 2:
            raise ValueError(f"'bags' must be two, of 1-hop and of 2-hop nets, got {len(bags)}")
        near, far = bags or (None, None)
        given = (x, edge_index, batch, batch_size, edge_attr)
        nodes = torch.cat([self.near(*given, near), self.far(*given, far)], dim=1)
        return self.head(self.pool(nodes, batch, batch_size))
