"""DSS-GNN: a graph as the set of its nodes' ego nets, each with all nodes of the graph."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.ops import segment_reduce
from graphlab.subgraph.checked_features import checked_features
from graphlab.subgraph.dss_bags import DSSBags
from graphlab.subgraph.dss_conv import DSSConv
from graphlab.subgraph.node_batch import checked_batch


class DSSGNN(nn.Module):
    r"""DSS-GNN of `Equivariant Subgraph Aggregation Networks <https://arxiv.org/abs/2110.02910>`_, policy EGO.

    .. math::
        x^0_{rv} = W x_v + b \; (+ \, m_{[r = v]}), \qquad x^l = \text{DSSConv}_l(x^{l-1}), \qquad
        y = \text{MLP}\Big(\big\Vert_{l=1}^L \frac{1}{n^2} \sum_{r, v} x^l_{rv}\Big)

    By Bevilacqua et al. (2022): a network on the ego net of each node, in which the bags share what they find at a node
    (:class:`DSSConv`). Every bag keeps all :math:`n` nodes of its graph, so that time and memory grow with :math:`n^2`;
    the edges of all bags are cut out in one pass.

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Width of the layers.
        out_channels: Width of the result.
        num_layers: Number of layers, :math:`L`.
        num_hops: How far the ego nets reach.
        root_mark: Whether roots are told from other nodes by a learned mark :math:`m`: the policy EGO+.
        norm: The norm behind each linear map of the layers: ``"batch_norm"``, or ``None`` for none.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **edge_index:** ``(2, num_edges)``
        - **batch:** ``(num_nodes,)``
        - **output:** ``(batch_size, out_channels)``

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import DSSGNN
        >>> net = DSSGNN(3, 16, 2, num_layers=2, root_mark=True)
        >>> net(torch.randn(4, 3), torch.tensor([[0, 1, 2, 1], [1, 0, 1, 2]]), torch.tensor([0, 0, 0, 1])).shape
        torch.Size([2, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 4,
        num_hops: int = 2,
        root_mark: bool = False,
        norm: str | None = "batch_norm",
    ) -> None:
        super().__init__()
        for name, value, least in (("num_layers", num_layers, 1), ("num_hops", num_hops, 0)):
            if value < least:
                raise ValueError(f"'{name}' must be at least {least}, got {value}")
        self.num_hops = num_hops
        self.first = nn.Linear(in_channels, hidden_channels)
        self.mark = nn.Embedding(2, hidden_channels) if root_mark else None
        self.convs = nn.ModuleList(DSSConv(hidden_channels, norm) for _ in range(num_layers))
        found = num_layers * hidden_channels
        self.inner, self.head = nn.Linear(found, 2 * found), nn.Linear(2 * found, out_channels)

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for part in (self.first, self.mark, *self.convs, self.inner, self.head):
            if part is not None:
                part.reset_parameters()  # pyright: ignore[reportCallIssue]

    def forward(self, x: Tensor, edge_index: Any, batch: Tensor | None = None, batch_size: int | None = None) -> Tensor:
        """Compute the outputs of all graphs.

        Args:
            x: Node features.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a ``Graph`` or a transposed sparse adjacency.
            batch: The graph of each node, ascending; ``None`` for one graph.
            batch_size: The number of graphs; by default up to the last that has a node.
        """
        x = checked_features(x, self.first.in_features, self.first.weight.dtype)
        batch, batch_size = checked_batch(batch, x.size(0), batch_size, x.device)
        return self._classify(x, DSSBags.of(edge_index, batch, batch_size, self.num_hops))

    def _classify(self, x: Tensor, bags: DSSBags) -> Tensor:
        rows = bags.spread(self.first(x))
        if self.mark is not None:
            is_root = torch.zeros(rows.size(0), dtype=torch.long, device=x.device).index_fill_(0, bags.roots, 1)
            rows = rows + self.mark(is_root)
        mean, found = bags.mean(rows), []
        for conv in self.convs:
            rows = conv(rows, mean, bags)
            mean = bags.mean(rows)
            found.append(segment_reduce(mean, ptr=bags.ptr, reduce="mean"))
        return self.head(self.inner(torch.cat(found, dim=1)).relu())
