"""Holomorphic filters of a directed graph."""

from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.horner import Decay, Horner
from graphlab.directed.quarter_norm_conv import QuarterNormConv


class FaberConv(QuarterNormConv):
    r"""FaberNet's layer: a polynomial of the adjacency, and one of its transpose.

    .. math::
        X' = \alpha \sum_{k = k_0}^{K} c_k \, T^k X W_k
        + (1 - \alpha) \sum_{k = k_0}^{K} c_k \, (T^\top)^k X V_k + b, \qquad
        T = D_{out}^{-1/4} A D_{in}^{-1/4}

    Of `HoloNets: Spectral Convolutions do extend to Directed Graphs <https://arxiv.org/abs/2310.02232>`_ (Koke and
    Cremers, 2024), as the paper has it; its code raises neither matrix to powers. Every order is one propagation at
    the width of the result. No loops are added.

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
        order: The highest power :math:`K`.
        alpha: Weight of out-neighbours, in [0, 1]; at 0 or 1 the other direction is not computed and has no
            parameters.
        learn_alpha: Whether ``alpha`` is learned, as the sigmoid of a parameter.
        decay: The weights :math:`c_k`: ``"none"`` for 1, ``"exp"`` for :math:`2^{-k}`, ``"lin"`` for :math:`1 / k`.
        zero_order: Whether the sums start at :math:`k_0 = 0`, not 1.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``order`` is below 1, ``decay`` unknown, or ``alpha`` out of range.

    Example:
        >>> import torch
        >>> from graphlab.directed import FaberConv
        >>> conv = FaberConv(8, 16, order=2)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        order: int = 1,
        alpha: float = 0.5,
        learn_alpha: bool = False,
        decay: Decay = "exp",
        zero_order: bool = False,
    ) -> None:
        def direction(in_channels: int, out_channels: int) -> Horner:
            def linear(terms: int) -> FeatureLinear:
                return FeatureLinear(in_channels, terms * out_channels, bias=False)

            return Horner(linear, order, decay, zero_order)

        super().__init__(in_channels, out_channels, direction, alpha, learn_alpha)
