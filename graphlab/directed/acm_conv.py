"""The adaptive channel mixing of ACM-GCN."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.edges import unweighted_edges
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.ops import Graph, gather_reduce

_TEMPERATURE = 3


class ACMConv(nn.Module):
    r"""Low-pass, high-pass and identity filters, mixed by each node for itself (Luan et al., 2022, arXiv 2210.07606).

    .. math::
        H_L = \text{ReLU}(\hat A X W_L), \quad H_H = \text{ReLU}((I - \hat A) X W_H), \quad H_I = \text{ReLU}(X W_I),
        \qquad \hat A = \tilde D^{-1} \tilde A

    .. math::
        \alpha_i = \text{softmax}(\tfrac{1}{3} [\sigma(H_L u_L), \sigma(H_H u_H), \sigma(H_I u_I)]_i W), \qquad
        y_i = \alpha_{i1} (H_L)_i + \alpha_{i2} (H_H)_i + \alpha_{i3} (H_I)_i

    :math:`\hat A` is the mean over a node and the sources of its edges. Dense features are propagated once, before
    they are transformed; sparse ones twice, after.

    Args:
        in_channels: Columns of ``x``.
        out_channels: Columns of the result.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: The edges are malformed or of another number of nodes, or there are weights, which a mean does not
            read.

    Example:
        >>> import torch
        >>> from graphlab.directed import ACMConv
        >>> ACMConv(3, 8)(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 8])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.low, self.high, self.identity = (FeatureLinear(in_channels, out_channels, bias=False) for _ in range(3))
        self.scores = nn.ModuleList(nn.Linear(out_channels, 1, bias=False) for _ in range(3))
        self.mix = nn.Linear(3, 3, bias=False)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for part in (self.low, self.high, self.identity, *self.scores, self.mix):
            part.reset_parameters()  # pyright: ignore[reportCallIssue]

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Filter and mix."""
        graph = unweighted_edges(x, edge_index, edge_weight, "a mean of neighbours").with_self_loops()
        channels = [channel.relu() for channel in self._filter(x, graph)]
        scores = [score(channel) for score, channel in zip(self.scores, channels, strict=True)]
        alpha = (self.mix(torch.cat(scores, 1).sigmoid()) / _TEMPERATURE).softmax(1)
        low, high, identity = (a[:, None] * channel for a, channel in zip(alpha.T, channels, strict=True))
        return low + high + identity

    def _filter(self, x: Tensor, graph: Graph) -> tuple[Tensor, Tensor, Tensor]:
        if x.layout == torch.strided and self.in_channels <= 2 * self.out_channels:
            smooth = gather_reduce(x, graph, reduce="mean")
            return self.low(smooth), self.high(x - smooth), self.identity(x)
        high = self.high(x)
        smooth = gather_reduce(torch.cat([self.low(x), high], 1), graph, reduce="mean")
        low, smooth_high = smooth.chunk(2, 1)
        return low, high - smooth_high, self.identity(x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels})"
