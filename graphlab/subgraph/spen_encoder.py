"""Layers of SPEN and what they read off each ego net."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graphlab.ops import Graph, gather_reduce
from graphlab.ops.cache import IndexCache
from graphlab.subgraph.bags import Bags
from graphlab.subgraph.check_inside import check_inside
from graphlab.subgraph.checked_features import checked_edge_features, checked_features
from graphlab.subgraph.node_batch import checked_batch
from graphlab.subgraph.pair_features import pair_features
from graphlab.subgraph.pair_norm import pair_norm
from graphlab.subgraph.pair_plan import PairPlan
from graphlab.subgraph.size_classes import check_size_classes
from graphlab.subgraph.spen_conv import SPENConv
from graphlab.subgraph.spen_readout import SPENReadout

JUMPS = ("last", "cat")
_PLANS = IndexCache(max_entries=32, max_bytes=512 << 20)


class SPENEncoder(nn.Module):
    r"""A vector of each node, invariant of its ego net (Mitton and Murray-Smith, 2021, arXiv 2111.11840).

    .. math::
        (X, x) \leftarrow \operatorname{norm}(\operatorname{ELU}(\text{SPENConv}(X, x))), \qquad
        h_v = \operatorname{ELU}(\text{SPENReadout}(X, x)_{S_v})

    Args:
        in_channels: Width of the node features.
        hidden_channels: Width of each map; ``h_v`` is twice as wide.
        num_layers: Number of layers, of which the readout is the last. Default: 4.
        num_hops: How far ego nets reach. Default: 1.
        size_classes: The smallest size of each class of bags that share weights. Default: ``(2, 3, 4, 5)``.
        product: Whether layers have the matrix product inside each bag. Default: no.
        norm: ``"batch_norm"``, ``"graph_norm"`` or ``None``, after each layer but the readout.
        normalize: Whether the adjacency is normalised by the degrees. Default: yes.
        edge_dim: Width of the edge features; 0 for none.
        jk: ``"last"`` to read off the last layer, ``"cat"`` to read off every layer and put the vectors side by side
            (Xu et al., 2018, arXiv 1806.03536). Default: ``"last"``.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``
        - **edge_index:** ``(2, num_edges)``
        - **edge_attr:** ``(num_edges, edge_dim)``
        - **output:** ``(num_nodes, 2 * hidden_channels)``, times ``num_layers - 1`` with ``jk="cat"``

    Raises:
        ValueError: An argument is wrong, or the arguments of ``forward`` do not fit together.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        num_layers: int = 4,
        num_hops: int = 1,
        size_classes: Sequence[int] = (2, 3, 4, 5),
        product: bool = False,
        norm: str | None = "batch_norm",
        normalize: bool = True,
        edge_dim: int = 0,
        jk: str = "last",
    ) -> None:
        super().__init__()
        if num_layers < 2:
            raise ValueError(f"'num_layers' must be at least 2, one layer and the readout, got {num_layers}")
        for name, value in (("hidden_channels", hidden_channels), ("num_hops", num_hops)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"'{name}' must be a whole number from 1, got {value!r}")
        self.in_channels, self.edge_dim, self.num_hops, self.normalize = in_channels, edge_dim, num_hops, normalize
        if jk not in JUMPS:
            raise ValueError(f"'jk' must be one of {', '.join(map(repr, JUMPS))}, got {jk!r}")
        self.size_classes = check_size_classes(size_classes)
        self.convs, self.norms, self.readouts = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        width, node_width = 1 + edge_dim + in_channels, 0
        for depth in range(1, num_layers):
            conv = SPENConv(width, node_width, hidden_channels, len(self.size_classes), product)
            width, node_width = conv.pair_channels, conv.node_out_channels
            self.convs.append(conv)
            self.norms.append(nn.ModuleList([pair_norm(norm, width), pair_norm(norm, node_width)]))
            if jk == "cat" or depth == num_layers - 1:
                self.readouts.append(SPENReadout(width, node_width, hidden_channels, len(self.size_classes)))
        self.out_channels = 2 * hidden_channels * len(self.readouts)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for module in [*self.convs, *(norm for pair in self.norms for norm in pair), *self.readouts]:  # pyright: ignore
            module.reset_parameters()  # pyright: ignore

    def forward(
        self,
        x: Tensor,
        edge_index: Any,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        edge_attr: Tensor | None = None,
        bags: Bags | None = None,
    ) -> Tensor:
        """Return the vectors.

        Args:
            x: Node features.
            edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
            batch: The graph of each node, ascending; by default all are of one.
            batch_size: The number of graphs.
            edge_attr: Edge features, where the encoder takes any.
            bags: The ego nets, where they were extracted before; by default they are extracted and remembered.
        """
        x = checked_features(x, self.in_channels, self.readouts[0].bias.dtype)  # pyright: ignore
        batch, batch_size = checked_batch(batch, x.size(0), batch_size, x.device)
        edge_index = _plain(edge_index, x.size(0))
        check_inside("edge_index", edge_index[0], edge_index[1], batch)
        edge_attr = checked_edge_features(edge_attr, edge_index, self.edge_dim, x)
        plan = self._plan(edge_index, x.size(0), bags)
        pairs, nodes, layers = pair_features(x, edge_index, plan, edge_attr, self.normalize), None, []
        for conv, (of_pairs, of_nodes) in zip(self.convs, self.norms, strict=True):  # pyright: ignore
            pairs, nodes = conv(pairs, nodes, plan)
            pairs = of_pairs(F.elu(pairs), batch[plan.row], batch_size)
            nodes = of_nodes(F.elu(nodes), batch, batch_size)
            layers.append((pairs, nodes))
        read = zip(self.readouts, layers[-len(self.readouts) :], strict=True)
        of_bags = torch.cat([F.elu(readout(*layer, plan)) for readout, layer in read], dim=1)
        return gather_reduce(of_bags, plan.bag_of_node)

    def _plan(self, edge_index: Any, num_nodes: int, bags: Bags | None) -> PairPlan:
        if bags is not None:
            if (bags.num_nodes, bags.num_hops) != (num_nodes, self.num_hops):
                raise ValueError(
                    f"'bags' must be the nets of {num_nodes} nodes that reach {self.num_hops} hops, got {bags}"
                )
            return PairPlan(bags, self.size_classes)
        key = ("plan", num_nodes, self.num_hops, self.size_classes)

        def build() -> PairPlan:
            return PairPlan(Bags.from_edge_index(edge_index, num_nodes, self.num_hops), self.size_classes)

        return _PLANS.get(edge_index, key, build, lambda plan: plan.nbytes)


def _plain(edge_index: Any, num_nodes: int) -> Tensor:
    """Sources and targets as a tensor of int64, in the user's order."""
    if type(edge_index) is not Tensor or edge_index.layout != torch.strided or edge_index.dtype != torch.int64:
        return Graph.from_edge_index(edge_index, (num_nodes, num_nodes)).edge_index()
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise ValueError(f"'edge_index' must have shape (2, num_edges), got {tuple(edge_index.shape)}")
    if edge_index.numel() and not 0 <= int(edge_index.min()) <= int(edge_index.max()) < num_nodes:
        raise ValueError(
            f"'edge_index' must hold nodes in [0, {num_nodes}), got {int(edge_index.min())} to "
            f"{int(edge_index.max())}; check the node numbering"
        )
    return edge_index
