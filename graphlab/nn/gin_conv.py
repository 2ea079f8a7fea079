"""The graph isomorphism layer without messages."""

from typing import Any

from torch import Tensor
from torch_geometric import nn as pyg

from graphlab.nn.fused import (
    ReducingConv,
    both,
    graph_of,
    pyg_edges,
    pyg_size,
    reduce_sources,
    sparse_weight,
)


class GINConv(ReducingConv, pyg.GINConv):
    r"""PyG's ``GINConv`` on :func:`graphlab.ops.gather_reduce`: no tensor has a row per edge.

    .. math::
        x'_i = h\Big((1 + \epsilon) \, x_i + \sum_{j \to i} x_j\Big)

    Of `How Powerful are Graph Neural Networks? <https://arxiv.org/abs/1810.00826>`_. Parameters, arguments and results
    are those of ``torch_geometric.nn.GINConv``; ``edge_index`` may also be a :class:`graphlab.ops.Graph`. Fused for
    sum, mean, min, max, std and var, one or several; PyG's own code runs for what :meth:`fallback_reason` tells.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, or a pair of source and target rows
        - **output:** ``(num_targets, out_channels)``

    Example:
        >>> import torch
        >>> from graphlab.nn import GINConv
        >>> conv = GINConv(torch.nn.Linear(8, 16), train_eps=True)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 16])
    """

    # Of two classes of one name PyG reads the source of the first alone, so these stand here too:
    # propagate_type: (x: OptPairTensor)

    def forward(self, x: Any, edge_index: Any, size: Any = None) -> Tensor:
        """Run the layer.

        Args:
            x: Node features, or a pair of those of sources and of targets; the latter may be ``None``.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``.
            size: Numbers of sources and targets.
        """
        if self.fallback_reason(x, edge_index, size):
            return super().forward(x, pyg_edges(edge_index), pyg_size(edge_index, size))
        x_src, x_dst = both(x)
        graph = graph_of(edge_index, x_src, x_dst, size)
        out = reduce_sources(self, x_src, graph, sparse_weight(self, edge_index))
        return self.nn(out if x_dst is None else out + (1 + self.eps) * x_dst)
