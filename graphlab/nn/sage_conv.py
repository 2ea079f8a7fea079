"""GraphSAGE without messages."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch_geometric import nn as pyg

from graphlab.nn.fused import (
    ReducingConv,
    both,
    graph_of,
    is_plain_linear,
    pyg_edges,
    pyg_size,
    reduce_sources,
    reduces_of,
    sparse_weight,
)


class SAGEConv(ReducingConv, pyg.SAGEConv):
    r"""PyG's ``SAGEConv`` on :func:`graphlab.ops.gather_reduce`: no tensor has a row per edge.

    .. math::
        x'_i = W_1 x_i + W_2 \bigoplus_{j \to i} x_j

    Of `Inductive Representation Learning on Large Graphs <https://arxiv.org/abs/1706.02216>`_. Parameters, arguments
    and results are those of ``torch_geometric.nn.SAGEConv``; ``edge_index`` may also be a
    :class:`graphlab.ops.Graph`. Fused for sum, mean, min, max, std and var, one or several; PyG's own code runs for
    what :meth:`fallback_reason` tells. Where the result is narrower than the input and the aggregation a sum or mean,
    :math:`W_2` is applied first.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, or a pair of source and target rows
        - **output:** ``(num_targets, out_channels)``

    Example:
        >>> import torch
        >>> from graphlab.nn import SAGEConv
        >>> conv = SAGEConv(8, 16, aggr="max")
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
        weight = sparse_weight(self, edge_index)
        if self.project:
            x_src = self.lin(x_src).relu()
        if self._narrows_first(x_src, graph):
            out = reduce_sources(self, F.linear(x_src, self.lin_l.weight), graph, weight)
            out = out if self.lin_l.bias is None else out + self.lin_l.bias
        else:
            out = self.lin_l(reduce_sources(self, x_src, graph, weight))
        if self.root_weight and x_dst is not None:
            out = out + self.lin_r(x_dst)
        return F.normalize(out, p=2.0, dim=-1) if self.normalize else out

    def _narrows_first(self, x_src: Tensor, graph: Any) -> bool:
        """Tell whether fewer numbers move if the linear map comes before the aggregation."""
        return (
            reduces_of(self.aggr_module) in (("sum",), ("mean",))
            and self.out_channels < x_src.size(1)
            and graph.num_sources <= graph.num_targets
            # The gradient of a first layer's input is not wanted; that of the narrowed rows would be.
            and (x_src.requires_grad or not torch.is_grad_enabled())
            # Narrowed rows would be rounded once more.
            and x_src.dtype is not torch.bfloat16
            and not torch.is_autocast_enabled(x_src.device.type)
            and is_plain_linear(self.lin_l)
        )
