"""The block of PPGN: matrix products of features of pairs of nodes."""

import torch
from torch import Tensor, nn

from graphlab.subgraph.channel_linear import ChannelLinear
from graphlab.subgraph.dense_pairs import DensePairs

# What a channel that is constant on a graph is divided by is the root of this.
_EPS = 1e-5


class PPGNBlock(nn.Module):
    r"""One step of the two-dimensional folklore Weisfeiler-Leman test, on features of all pairs of nodes.

    .. math::
        Y = \mathrm{norm}\bigl(W [X, n^{-1/2} m_1(X) \cdot m_2(X)] + b\bigr), \qquad
        m(X) = \sin(\omega W_2 \sin(\omega W_1 X))

    The block of `Provably Powerful Graph Networks <https://arxiv.org/abs/1905.11136>`_ (Maron et al., 2019):
    :math:`m_1` and :math:`m_2` act on each pair, and the product is one of :math:`n \times n` matrices per channel.
    ``norm`` brings each channel to mean 0 and variance 1 over the pairs of each graph, so that no channel fades with
    depth.

    Args:
        in_channels: Number of channels that come.
        channels: Number of channels that go.
        frequency: The :math:`\omega` of the activations.
    """

    def __init__(self, in_channels: int, channels: int, frequency: float) -> None:
        super().__init__()
        self.frequency = frequency
        left, right = self.operand_channels(in_channels)
        self.left = nn.ModuleList([ChannelLinear(left, channels), ChannelLinear(channels, channels)])
        self.right = nn.ModuleList([ChannelLinear(right, channels), ChannelLinear(channels, channels)])
        self.out = ChannelLinear(right + channels, channels)

    @staticmethod
    def operand_channels(in_channels: int) -> tuple[int, int]:
        """Give the numbers of channels that :math:`m_1` and :math:`m_2` read.

        Args:
            in_channels: Number of channels that come.
        """
        return in_channels, in_channels

    def operands(self, x: Tensor, pairs: DensePairs) -> tuple[Tensor, Tensor]:
        """Give what :math:`m_1` and :math:`m_2` read; the latter also goes past the product.

        Args:
            x: Features of all pairs.
            pairs: Where the pairs stand.

        Shapes:
            - **x:** ``(in_channels, num_pairs)``
        """
        return x, x

    def forward(self, x: Tensor, pairs: DensePairs) -> Tensor:
        """Compute new features of all pairs.

        Args:
            x: Features of all pairs.
            pairs: Where the pairs stand.

        Shapes:
            - **x:** ``(in_channels, num_pairs)``
            - **output:** ``(channels, num_pairs)``
        """
        left, right = self.operands(x, pairs)
        factors = self._mlp(self.left, left), self._mlp(self.right, right)
        product = pairs.map(lambda a, b: a @ b / a.size(3) ** 0.5, *factors)
        return pairs.map(_standardized, self.out(torch.cat([right, product])))

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for layer in (*self.left, *self.right, self.out):
            layer.reset_parameters()  # pyright: ignore[reportCallIssue]

    def _mlp(self, layers: nn.ModuleList, x: Tensor) -> Tensor:
        for layer in layers:
            x = torch.sin(self.frequency * layer(x))
        return x


def _standardized(stack: Tensor) -> Tensor:
    variance, mean = torch.var_mean(stack, dim=(2, 3), keepdim=True, correction=0)
    return (stack - mean) * (variance + _EPS).rsqrt()
