"""The graph transformer layer without messages."""

from typing import Any

import torch
from torch_geometric import nn as pyg

from graphlab.nn.fused import AttentiveConv, both, graph_of, pyg_edges
from graphlab.ops import dot_attention


class TransformerConv(AttentiveConv, pyg.TransformerConv):
    r"""PyG's ``TransformerConv`` on :func:`graphlab.ops.dot_attention`: scores, softmax and sum in one pass.

    .. math::
        x'_i = W_1 x_i + \sum_{j \to i} \alpha_{ij} W_2 x_j, \qquad
        \alpha_{ij} = \operatorname{softmax}_j \; \frac{(W_3 x_i)^\top (W_4 x_j)}{\sqrt d}

    Of `Masked Label Prediction <https://arxiv.org/abs/2009.03509>`_. Parameters, arguments and results are those of
    ``torch_geometric.nn.TransformerConv``; ``edge_index`` may also be a :class:`graphlab.ops.Graph`. Attention is
    dropped at the same rate as PyG's, at other edges. PyG's own code runs for what :meth:`fallback_reason` tells, with
    edge attributes and returned attention weights among it.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, or a pair of source and target rows
        - **output:** ``(num_targets, heads * out_channels)``, without ``heads`` where they are averaged

    Example:
        >>> import torch
        >>> from graphlab.nn import TransformerConv
        >>> conv = TransformerConv(8, 16, heads=4, beta=True)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 64])
    """

    # Of two classes of one name PyG reads the source of the first alone, so these stand here too:
    # propagate_type: (query: Tensor, key: Tensor, value: Tensor, edge_attr: OptTensor)

    def _unfit_layer(self) -> str:
        return "there are edge attributes" if self.lin_edge is not None else super()._unfit_layer()

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
        shape = (-1, self.heads, self.out_channels)
        query, key, value = (
            lin(rows).view(shape)
            for lin, rows in ((self.lin_query, x_dst), (self.lin_key, x_src), (self.lin_value, x_src))
        )
        out = dot_attention(query, key, value, graph, dropout=self.dropout if self.training else 0.0)
        out = out.flatten(1) if self.concat else out.mean(dim=1)
        if not self.root_weight:
            return out
        skip = self.lin_skip(x_dst)
        if self.lin_beta is None:
            return out + skip
        beta = self.lin_beta(torch.cat([out, skip, out - skip], dim=-1)).sigmoid()
        return beta * skip + (1 - beta) * out
