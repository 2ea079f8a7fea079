"""Holomorphic filters of a directed graph with complex weights."""

from graphlab.directed.complex_linear import ComplexLinear
from graphlab.directed.horner import Decay, Horner
from graphlab.directed.quarter_norm_conv import QuarterNormConv


class ComplexFaberConv(QuarterNormConv):
    r"""FaberNet's layer with complex weights, real and imaginary parts side by side.

    .. math::
        Z' = \alpha \sum_{k = k_0}^{K} c_k \, T^k Z W_k
        + (1 - \alpha) \sum_{k = k_0}^{K} c_k \, (T^\top)^k Z V_k + b, \qquad W_k, V_k, b \text{ complex}

    All else is as in :class:`graphlab.directed.FaberConv`. The weights' real parts are the parameters named ``real``,
    the imaginary ones those named ``imag``, so that an optimiser can decay them apart.

    Args:
        in_channels: Width of ``x``: real parts, then as many imaginary parts.
        out_channels: Width of the result: real parts, then as many imaginary parts.
        order: The highest power :math:`K`.
        alpha: Weight of out-neighbours, in [0, 1].
        learn_alpha: Whether ``alpha`` is learned, as the sigmoid of a parameter.
        decay: The weights :math:`c_k`, as in :class:`graphlab.directed.FaberConv`.
        zero_order: Whether the sums start at :math:`k_0 = 0`, not 1.
        real_input: Whether ``x`` is real: all columns are real parts.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense; sparse CSR only where it is real
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: A width is odd, ``order`` is below 1, ``decay`` unknown, or ``alpha`` out of range.

    Example:
        >>> import torch
        >>> from graphlab.directed import ComplexFaberConv
        >>> conv = ComplexFaberConv(8, 2 * 16, order=2, real_input=True)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 32])
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
        real_input: bool = False,
    ) -> None:
        if out_channels % 2 or (in_channels % 2 and not real_input):
            raise ValueError(
                f"'in_channels' and 'out_channels' must be even, for real and imaginary parts, got {in_channels} "
                f"and {out_channels}; for real features say real_input=True"
            )

        def direction(in_channels: int, out_channels: int) -> Horner:
            def linear(terms: int) -> ComplexLinear:
                width = in_channels if real_input else in_channels // 2
                return ComplexLinear(width, out_channels // 2, terms, real_input)

            return Horner(linear, order, decay, zero_order)

        super().__init__(in_channels, out_channels, direction, alpha, learn_alpha)
