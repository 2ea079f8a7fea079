"""IGN: the invariant network on all pairs of nodes of a graph."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import MLP

from graphlab.ops import Graph
from graphlab.ops.csr import rows_of
from graphlab.subgraph.checked_features import checked_features
from graphlab.subgraph.equivariant_linear import EquivariantLinear
from graphlab.subgraph.node_batch import checked_batch
from graphlab.subgraph.pair_norm import pair_norm
from graphlab.subgraph.size_groups import SizeGroups


class IGN(nn.Module):
    r"""Invariant graph network of second order (Maron et al., 2019, arXiv 1812.09902).

    .. math::
        X^0_{ij} = \left[ A_{ij} \,\Vert\, \textstyle\sum_{e : i \to j} a_e \,\Vert\, \delta_{ij} x_i \right], \qquad
        X^{l + 1} = \operatorname{norm}(\operatorname{ELU}(L^{22}_l X^l)), \qquad
        y_G = \text{MLP}(\operatorname{ELU}(L^{20} X^K))

    where :math:`L^{22}` and :math:`L^{20}` are all equivariant and all invariant linear maps, and :math:`A_{ij}` counts
    the edges from ``i`` to ``j``. All :math:`n^2` pairs of nodes of a graph are held, edges or none: this is the global
    network that networks on ego nets are measured against. It tells apart what 1-WL does. Graphs of one size are one
    dense batch; nothing is padded.

    Args:
        in_channels: Width of the node features.
        hidden_channels: Width of the layers.
        out_channels: Width of the result: the number of classes or targets.
        num_layers: Number of layers on pairs. Default: 3.
        norm: ``"batch_norm"``, ``"graph_norm"`` or ``None``, after each of them.
        edge_dim: Width of the edge features; 0 for none.
        head_channels: Widths of the hidden layers of the perceptron at the end. Default: ``(256, 128)``.
        dropout: Fraction of hidden units dropped in that perceptron. Default: 0.5.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **edge_index:** ``(2, num_edges)``
        - **batch:** ``(num_nodes,)``
        - **edge_attr:** ``(num_edges, edge_dim)``
        - **output:** ``(batch_size, out_channels)``

    Raises:
        ValueError: A number is out of range, or an input is not as said.
        RuntimeError: All pairs of nodes do not fit in memory.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import IGN
        >>> net = IGN(in_channels=3, hidden_channels=8, out_channels=2).eval()
        >>> path = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
        >>> net(torch.ones(3, 3), path).shape
        torch.Size([1, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 3,
        norm: str | None = "batch_norm",
        edge_dim: int = 0,
        head_channels: Sequence[int] = (256, 128),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"'num_layers' must be at least 1, got {num_layers}")
        self.in_channels, self.edge_dim = in_channels, edge_dim
        widths = [1 + edge_dim + in_channels, *[hidden_channels] * num_layers]
        self.convs = nn.ModuleList(EquivariantLinear(*pair) for pair in pairwise(widths))
        self.norms = nn.ModuleList(pair_norm(norm, hidden_channels) for _ in range(num_layers))
        self.invariant = EquivariantLinear(hidden_channels, hidden_channels, order_out=0)
        self.head = MLP([hidden_channels, *head_channels, out_channels], norm=None, dropout=float(dropout))

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for part in (*self.convs, *self.norms, self.invariant, self.head):
            part.reset_parameters()  # pyright: ignore[reportCallIssue]

    def forward(
        self,
        x: Tensor,
        edge_index: Any,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        edge_attr: Tensor | None = None,
    ) -> Tensor:
        """Compute the outputs of all graphs.

        Args:
            x: Node features.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a ``Graph`` or a transposed sparse adjacency.
            batch: The graph of each node, ascending; ``None`` for one graph.
            batch_size: The number of graphs; by default up to the last that has a node.
            edge_attr: Edge features, where the network takes any.
        """
        x = checked_features(x, self.in_channels, self.invariant.weight.dtype)
        batch, batch_size = checked_batch(batch, x.size(0), batch_size, x.device)
        groups = SizeGroups(batch, batch_size)
        pairs = self._pairs(x, Graph.from_edge_index(edge_index, (x.size(0), x.size(0))), groups, edge_attr)
        graph = groups.pair_graph
        for conv, norm in zip(self.convs, self.norms, strict=True):
            pairs = torch.cat([conv(dense).flatten(0, 2) for dense in groups.dense(pairs)])
            pairs = norm(F.elu(pairs, inplace=True), graph, batch_size)
        rows = torch.cat([self.invariant(dense) for dense in groups.dense(pairs)])
        return self.head(F.elu(torch.empty_like(rows).index_copy(0, groups.order, rows)))

    def _pairs(self, x: Tensor, graph: Graph, groups: SizeGroups, edge_attr: Tensor | None) -> Tensor:
        """Adjacency and edge features at each pair, node features on the diagonal."""
        source, target = graph.col.long(), rows_of(graph.rowptr, graph.num_edges)
        edges = self._edge_features(x, graph, edge_attr)
        edges = groups.zeros(edges, edges.size(1)).index_add(0, groups.places(source, target), edges)
        node = torch.arange(x.size(0), device=x.device)
        nodes = groups.zeros(x, x.size(1)).index_copy(0, groups.places(node, node), x)
        return torch.cat([edges, nodes], 1)

    def _edge_features(self, x: Tensor, graph: Graph, edge_attr: Tensor | None) -> Tensor:
        """A one for each edge, and its own features, in the order of ``graph``."""
        one, expected = x.new_ones(graph.num_edges, 1), (graph.num_edges, self.edge_dim)
        if edge_attr is None and self.edge_dim == 0:
            return one
        if edge_attr is None or edge_attr.shape != expected or edge_attr.dtype != x.dtype:
            came = "None" if edge_attr is None else f"{edge_attr.dtype} of shape {tuple(edge_attr.shape)}"
            raise ValueError(f"'edge_attr' must be {x.dtype} of shape {expected}, got {came}; see 'edge_dim'")
        return torch.cat([one, edge_attr if graph.perm is None else edge_attr[graph.perm]], 1)
