"""GATv2 without messages."""

from typing import Any

import torch
from torch_geometric import nn as pyg

from graphlab.nn.fused import AttentiveConv, both, graph_of, pyg_edges
from graphlab.ops import gatv2_attention


class GATv2Conv(AttentiveConv, pyg.GATv2Conv):
    r"""PyG's ``GATv2Conv`` on :func:`graphlab.ops.gatv2_attention`: scores, softmax and sum in one pass.

    .. math::
        x'_i = \sum_{j \to i} \alpha_{ij} W_l x_j, \qquad
        \alpha_{ij} = \operatorname{softmax}_j \; a^\top \mathrm{LeakyReLU}(W_r x_i + W_l x_j)

    Of `How Attentive are Graph Attention Networks? <https://arxiv.org/abs/2105.14491>`_. Parameters, arguments and
    results are those of ``torch_geometric.nn.GATv2Conv``; ``edge_index`` may also be a :class:`graphlab.ops.Graph`. The
    graph with a loop at each node is remembered. Attention is dropped at the same rate as PyG's, at other edges. PyG's
    own code runs for what :meth:`fallback_reason` tells, with edge attributes and returned attention weights among it.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, or a pair of source and target rows
        - **output:** ``(num_targets, heads * out_channels)``, without ``heads`` where they are averaged

    Example:
        >>> import torch
        >>> from graphlab.nn import GATv2Conv
        >>> conv = GATv2Conv(8, 16, heads=4)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 64])
    """

    # Of two classes of one name PyG reads the source of the first alone, so these stand here too:
    # edge_updater_type: (x: PairTensor, edge_attr: OptTensor)
    # propagate_type: (x: PairTensor, alpha: Tensor)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, x: Any, edge_index: Any, edge_attr: Any = None, return_attention_weights: Any = None
    ) -> Any:
        """Run the layer.

        Args:
            x: Node features, or a pair of those of sources and of targets.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``.
            edge_attr: Edge features.
            return_attention_weights: Where it is given, the result comes with ``(edge_index, attention weights)``.
        """
        if self.fallback_reason(x, edge_index, edge_attr, return_attention_weights):
            return super().forward(x, pyg_edges(edge_index), edge_attr, return_attention_weights)
        x_src, x_dst = both(x)
        graph = graph_of(edge_index, x_src, x_dst)
        if self.add_self_loops:
            graph = graph.with_self_loops()
        shape = (-1, self.heads, self.out_channels)
        left = self.lin_l(x_src).view(shape)
        right = left if self.share_weights and x_src is x_dst else self.lin_r(x_dst).view(shape)
        # Under autocast the linear maps give less precision than the scores are computed in.
        dtype = torch.promote_types(left.dtype, self.att.dtype)
        dropout = self.dropout if self.training else 0.0
        out = gatv2_attention(
            left.to(dtype), right.to(dtype), self.att[0].to(dtype), graph, self.negative_slope, dropout
        )
        out = out.flatten(1) if self.concat else out.mean(dim=1)
        if self.res is not None:
            out = out + self.res(x_dst)
        return out if self.bias is None else out + self.bias
