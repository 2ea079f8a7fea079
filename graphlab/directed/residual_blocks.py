"""What stands inside the residual connections of :class:`graphlab.directed.ResidualGNN`."""

import torch
from torch import Tensor, nn

from graphlab.directed.dropout import Dropout
from graphlab.directed.operator import Operator
from graphlab.ops import Graph, dot_attention, gat_attention, gather_reduce


class FeedForward(nn.Sequential):
    r"""A perceptron of two layers, which looks at no edges.

    .. math::
        y = \text{dropout}(W_2\, \text{GELU}(\text{dropout}(W_1 x)))

    Args:
        in_channels: Columns of the input.
        channels: Columns of the output.
        hidden_mult: The hidden width over ``channels``.
        dropout: Fraction of units dropped while training.
    """

    def __init__(self, in_channels: int, channels: int, hidden_mult: float, dropout: float) -> None:
        hidden = max(round(channels * hidden_mult), 1)
        super().__init__(
            nn.Linear(in_channels, hidden),
            Dropout(dropout),
            nn.GELU(),
            nn.Linear(hidden, channels),
            Dropout(dropout),
        )


class FeedForwardBlock(nn.Module):
    """:class:`FeedForward` on each node by itself.

    Args:
        channels: The width.
        hidden_mult: The hidden width of the perceptron over ``channels``.
        dropout: Fraction of units dropped while training.
    """

    def __init__(self, channels: int, hidden_mult: float, dropout: float) -> None:
        super().__init__()
        self.feed_forward = FeedForward(channels, channels, hidden_mult, dropout)

    def forward(self, x: Tensor, edges: Graph) -> Tensor:
        """Transform each node."""
        return self.feed_forward(x)


class GCNBlock(nn.Module):
    r""":class:`FeedForward` of the neighbours' sum :math:`\hat A X`, loops included.

    Args:
        channels: The width.
        hidden_mult: The hidden width of the perceptron over ``channels``.
        dropout: Fraction of units dropped while training.
    """

    def __init__(self, channels: int, hidden_mult: float, dropout: float) -> None:
        super().__init__()
        self.feed_forward = FeedForward(channels, channels, hidden_mult, dropout)

    def forward(self, x: Tensor, edges: Operator) -> Tensor:
        """Propagate, then transform."""
        return self.feed_forward(edges @ x)


class SAGEBlock(nn.Module):
    r""":class:`FeedForward` of the node beside the mean of its neighbours, :math:`[x_i \| \bar x_{N(i)}]`.

    Args:
        channels: The width.
        hidden_mult: The hidden width of the perceptron over ``channels``.
        dropout: Fraction of units dropped while training.
    """

    def __init__(self, channels: int, hidden_mult: float, dropout: float) -> None:
        super().__init__()
        self.feed_forward = FeedForward(2 * channels, channels, hidden_mult, dropout)

    def forward(self, x: Tensor, edges: Graph) -> Tensor:
        """Set the mean beside the node, then transform."""
        return self.feed_forward(torch.cat([x, gather_reduce(x, edges, reduce="mean")], 1))


class GATBlock(nn.Module):
    r""":class:`FeedForward` of attention with additive scores, with ``separate`` beside the node itself.

    .. math::
        m_{i,h} = \sum_{j \to i} \text{softmax}_j(\text{LeakyReLU}(u_h^\top z_j + v_h^\top z_i + c_h)) z_{j,h}, \qquad
        z = W x, \qquad y = \text{FFN}(m) \ \text{or}\ \text{FFN}([z \| m])

    Args:
        channels: The width.
        hidden_mult: The hidden width of the perceptron over ``channels``.
        dropout: Fraction of units dropped while training.
        heads: Number of attention heads.
        separate: Whether the node stands beside its neighbours.
    """

    def __init__(self, channels: int, hidden_mult: float, dropout: float, heads: int, separate: bool) -> None:
        super().__init__()
        self.heads, self.separate = heads, separate
        self.value = nn.Linear(channels, channels)
        self.score_src = nn.Linear(channels, heads)
        self.score_dst = nn.Linear(channels, heads, bias=False)
        self.feed_forward = FeedForward((1 + separate) * channels, channels, hidden_mult, dropout)

    def forward(self, x: Tensor, edges: Graph) -> Tensor:
        """Attend, then transform."""
        x = self.value(x)
        value = x.unflatten(1, (self.heads, -1))
        message = gat_attention(self.score_src(x), self.score_dst(x), value, edges).flatten(1)
        return self.feed_forward(torch.cat([x, message], 1) if self.separate else message)


class TransformerBlock(nn.Module):
    r"""Scaled dot-product attention along the edges, with ``separate`` beside the node itself.

    .. math::
        m_{i,h} = \sum_{j \to i} \text{softmax}_j(q_{i,h}^\top k_{j,h} / \sqrt{d}) v_{j,h}, \qquad
        y = \text{dropout}(W m) \ \text{or}\ \text{dropout}(W [x \| m])

    Args:
        channels: The width.
        heads: Number of attention heads.
        dropout: Fraction of units dropped while training.
        separate: Whether the node stands beside its neighbours.
    """

    def __init__(self, channels: int, heads: int, dropout: float, separate: bool) -> None:
        super().__init__()
        self.heads, self.separate = heads, separate
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear((1 + separate) * channels, channels)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, edges: Graph) -> Tensor:
        """Attend."""
        query, key, value = (part(x).unflatten(1, (self.heads, -1)) for part in (self.query, self.key, self.value))
        message = dot_attention(query, key, value, edges).flatten(1)
        return self.dropout(self.out(torch.cat([x, message], 1) if self.separate else message))
