"""Provably powerful graph networks, on all pairs of nodes."""

from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graphlab.ops import Graph
from graphlab.subgraph.channel_linear import ChannelLinear
from graphlab.subgraph.dense_pairs import DensePairs
from graphlab.subgraph.node_batch import checked_batch
from graphlab.subgraph.ppgn_block import PPGNBlock


class PPGN(nn.Module):
    r"""Provably powerful graph network: as strong as 3-WL, by products of matrices of features of pairs of nodes.

    .. math::
        X_0 = [A, E, \mathrm{diag}(x)], \qquad X_l = \mathrm{block}_l(X_{l-1}), \qquad
        y = W [r(\sin(\omega W_0 X_L)), r(X_0)] + b

    with :math:`r` the mean over pairs of one node beside the mean over pairs of two. Of `Provably Powerful Graph
    Networks <https://arxiv.org/abs/1905.11136>`_ (Maron et al., 2019). Takes :math:`O(n^2)` memory and :math:`O(n^3)`
    time for each graph of :math:`n` nodes, without padding.

    What 2-FWL tells apart in round :math:`l` the network can tell apart with :math:`l` blocks. How far apart depends on
    :math:`\omega`: a product sees two small differences as one of the size of their product, so that with 1, suited to
    training, the long chains of CFI graphs vanish in rounding. With 8 and 5 untrained blocks in float64 outputs of CFI
    graphs differ by more than 1e-6 of their norm where 2-FWL does; rounding grows too, to about 1e-7.

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Number of channels of the blocks.
        out_channels: Width of the output.
        num_layers: Number of blocks.
        frequency: The :math:`\omega` of the activations.
        edge_dim: Width of ``edge_attr``; 0 for none.

    Raises:
        ValueError: A width but ``edge_dim`` or the number of blocks is below 1.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import PPGN
        >>> edge_index = torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]])
        >>> PPGN(4, 8, 3)(torch.randn(4, 4), edge_index, torch.tensor([0, 0, 1, 1])).shape
        torch.Size([2, 3])
    """

    block: ClassVar[type[PPGNBlock]] = PPGNBlock

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 5,
        frequency: float = 1.0,
        edge_dim: int = 0,
    ) -> None:
        super().__init__()
        self._setup(1 + edge_dim + in_channels, hidden_channels, out_channels, num_layers, frequency)
        self.in_channels, self.out_channels, self.edge_dim = in_channels, out_channels, edge_dim

    def _setup(self, channels: int, hidden_channels: int, out_channels: int, num_layers: int, frequency: float) -> None:
        for name, value in {"hidden_channels": hidden_channels, "num_layers": num_layers}.items():
            if value < 1:
                raise ValueError(f"'{name}' must be at least 1, got {value}")
        widths = [channels] + [hidden_channels] * num_layers
        self.frequency = frequency
        self.blocks = nn.ModuleList(self.block(*pair, frequency) for pair in pairwise(widths))
        self.last = ChannelLinear(hidden_channels, hidden_channels)
        self.head = nn.Linear(2 * (hidden_channels + channels), out_channels)

    def forward(
        self,
        x: Tensor,
        edge_index: Any,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        edge_attr: Tensor | None = None,
    ) -> Tensor:
        """Compute one vector for each graph.

        Args:
            x: Node features.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``; what is
                listed twice counts twice.
            batch: The graph of each node, sorted; ``None`` for one graph.
            batch_size: The number of graphs; ``None`` for one more than the largest in ``batch``.
            edge_attr: Features of the edges.

        Shapes:
            - **x:** ``(num_nodes, in_channels)``
            - **edge_index:** ``(2, num_edges)``
            - **batch:** ``(num_nodes,)``
            - **edge_attr:** ``(num_edges, edge_dim)``
            - **output:** ``(batch_size, out_channels)``

        Raises:
            ValueError: A shape or a type does not fit, edges lead out of their graph, or ``batch`` is not sorted.
        """
        pairs = self._pairs(x, batch, batch_size)
        return self._network(torch.cat(self._edge_channels(x, edge_index, edge_attr, pairs)), pairs)

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for part in (*self.blocks, self.last, self.head):
            part.reset_parameters()  # pyright: ignore[reportCallIssue]

    def _pairs(self, x: Tensor, batch: Tensor | None, batch_size: int | None) -> DensePairs:
        dtype = self.head.weight.dtype
        if x.dim() != 2 or x.size(1) != self.in_channels or x.dtype != dtype:
            raise ValueError(
                f"'x' must be {dtype} of shape (num_nodes, {self.in_channels}), got {x.dtype} of shape "
                f"{tuple(x.shape)}; build the network with another in_channels, or convert with .to({dtype})"
            )
        return DensePairs(*checked_batch(batch, x.size(0), batch_size, x.device))

    def _edge_channels(
        self, x: Tensor, edge_index: Any, edge_attr: Tensor | None, pairs: DensePairs
    ) -> tuple[Tensor, Tensor]:
        """The channels of the adjacency and of the edges, and the features of nodes on the diagonal."""
        index = Graph.from_edge_index(edge_index, (x.size(0), x.size(0))).edge_index()
        ones = x.new_ones(index.size(1), 1)
        if (0 if edge_attr is None else edge_attr.size(-1)) != self.edge_dim:
            came = "None" if edge_attr is None else f"shape {tuple(edge_attr.shape)}"
            raise ValueError(f"'edge_attr' must have shape (num_edges, {self.edge_dim}), got {came}; set 'edge_dim'")
        features = ones if edge_attr is None else torch.cat([ones, edge_attr], dim=1)
        edges = x.new_zeros(features.size(1), pairs.num_pairs)
        edges = edges.index_add(1, pairs.places("edge_index", index), features.T)
        nodes = x.new_zeros(x.size(1), pairs.num_pairs).index_copy(1, pairs.diagonal, x.T)
        return edges, nodes

    def _network(self, first: Tensor, pairs: DensePairs) -> Tensor:
        x = first
        for block in self.blocks:
            x = block(x, pairs)
        x = torch.cat([torch.sin(self.frequency * self.last(x)), first])
        return self.head(torch.cat([pairs.mean_diagonal(x), pairs.mean_off_diagonal(x)], dim=1))
