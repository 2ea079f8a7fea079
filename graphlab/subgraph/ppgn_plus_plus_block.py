"""The block of PPGN++: PPGN's, with an identity and with transposes."""

import torch
from torch import Tensor

from graphlab.subgraph.dense_pairs import DensePairs
from graphlab.subgraph.ppgn_block import PPGNBlock


class PPGNPlusPlusBlock(PPGNBlock):
    r"""A block of PPGN that also sees which pairs are of one node, and each pair turned round.

    .. math::
        X' = [X, I], \qquad
        Y = \mathrm{norm}\bigl(W [X', n^{-1/2} m_1([X', X'^\top]) \cdot m_2(X')] + b\bigr)

    Of `Equivariant Polynomials for Graph Neural Networks <https://arxiv.org/abs/2302.11556>`_ (Puny et al., 2023).
    """

    @staticmethod
    def operand_channels(in_channels: int) -> tuple[int, int]:
        """Give the numbers of channels that :math:`m_1` and :math:`m_2` read.

        Args:
            in_channels: Number of channels that come.
        """
        return 2 * (in_channels + 1), in_channels + 1

    def operands(self, x: Tensor, pairs: DensePairs) -> tuple[Tensor, Tensor]:
        """Give what :math:`m_1` and :math:`m_2` read; the latter also goes past the product.

        Args:
            x: Features of all pairs.
            pairs: Where the pairs stand.

        Shapes:
            - **x:** ``(in_channels, num_pairs)``
        """
        identity = x.new_zeros(1, x.size(1)).index_fill(1, pairs.diagonal, 1.0)
        x = torch.cat([x, identity])
        return torch.cat([x, pairs.transpose(x)]), x
