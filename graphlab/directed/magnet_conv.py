"""Chebyshev filters of the magnetic Laplacian."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.checks import at_least, check_features, finite
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.magnetic_operator import ComplexOperator, magnetic_operator

Complex = tuple[Tensor, Tensor]


class MagNetConv(nn.Module):
    r"""MagNet's layer: a polynomial of the magnetic Laplacian in Chebyshev's basis, with real weights.

    .. math::
        Z' = \sum_{k = 0}^{K} T_k(\tilde L) Z W_k + (1 + i) b, \qquad
        \tilde L = L - I = -D_s^{-1/2} A_s D_s^{-1/2} \odot \exp\big(2 \pi i q (A - A^\top)\big)

    Of `MagNet: A Neural Network for Directed Graphs <https://arxiv.org/abs/2102.11391>`_ (Zhang et al., 2021), with
    the largest eigenvalue of :math:`L` taken as 2. :math:`T_k` are Chebyshev's polynomials; the sum is computed by
    Clenshaw's recurrence, one propagation per order at the width of the result. Real and imaginary parts are a pair of
    real tensors.

    Args:
        in_channels: Width of the real and of the imaginary part.
        out_channels: Width of both parts of the result.
        order: The highest power :math:`K`.
        q: The phase of an edge without a counterpart, in turns: 0 forgets directions, 1/4 makes them imaginary.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR, for :math:`Z = X + i X`; or a pair of them
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``; no gradient reaches it
        - **output:** a pair of ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``order`` is negative, or ``q`` is not finite.

    Example:
        >>> import torch
        >>> from graphlab.directed import MagNetConv
        >>> conv = MagNetConv(8, 16, q=0.1)
        >>> real, imag = conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]]))
        >>> real.shape
        torch.Size([3, 16])
    """

    def __init__(self, in_channels: int, out_channels: int, order: int = 1, q: float = 0.25) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.order, self.q = at_least("order", order, 0), finite("q", q)
        self.linear = FeatureLinear(in_channels, out_channels * (order + 1), bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> ComplexOperator:
        """Make the magnetic operator, or find it made.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """
        graph, weight = checked_edges(edge_index, edge_weight, num_nodes)
        return magnetic_operator(graph, weight, num_nodes=num_nodes, q=self.q)

    def convolve(self, x: Tensor | Complex, edges: ComplexOperator) -> Complex:
        """Run the layer on edges that were prepared.

        Args:
            x: Node features, or their real and imaginary parts.
            edges: What :meth:`prepare` gave.
        """
        if isinstance(x, Tensor):
            terms = [(term, term) for term in self._terms(x)]
        else:
            terms = list(zip(*(self._terms(part) for part in x), strict=True))
        real, imag = _chebyshev(terms, edges)
        return real + self.bias, imag + self.bias

    def forward(self, x: Tensor | Complex, edge_index: Any, edge_weight: Tensor | None = None) -> Complex:
        """Run the layer.

        Args:
            x: Node features, dense or sparse CSR, or their real and imaginary parts.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``.
            edge_weight: One number per edge, 0 or more; ``None`` for 1.

        Shapes:
            - **x:** ``(num_nodes, in_channels)``, or a pair of them
            - **edge_index:** ``(2, num_edges)``
            - **edge_weight:** ``(num_edges,)``
            - **output:** a pair of ``(num_nodes, out_channels)``
        """
        parts = (x,) if isinstance(x, Tensor) else x
        for part in parts:
            check_features(part, self.in_channels, self)
        return self.convolve(x, self.prepare(edge_index, edge_weight, parts[0].size(0)))

    def reset_parameters(self) -> None:
        """Draw new weights, as the paper's authors do; the bias starts at 0."""
        # Glorot's bound of each term's own matrix, not of all side by side.
        bound = math.sqrt(6 / max(self.in_channels + self.out_channels, 1))
        nn.init.uniform_(self.linear.weight, -bound, bound)
        nn.init.zeros_(self.bias)

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``."""
        return f"{self.in_channels}, {self.out_channels}, order={self.order}, q={self.q:g}"

    def _terms(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.linear(x).chunk(self.order + 1, dim=1)


def _chebyshev(terms: list[Complex], edges: ComplexOperator) -> Complex:
    r"""Sum :math:`T_k(-H) Y_k` by Clenshaw's recurrence :math:`B_k = Y_k - 2 H B_{k+1} - B_{k+2}`."""
    *lower, nearest = terms
    before = None
    for i, term in enumerate(reversed(lower), 1):
        factor = 1.0 if i == len(lower) else 2.0
        turned = edges @ nearest
        now = [torch.sub(t, h, alpha=factor) for t, h in zip(term, turned, strict=True)]
        now = now if before is None else [n - b for n, b in zip(now, before, strict=True)]
        before, nearest = nearest, (now[0], now[1])
    return nearest
