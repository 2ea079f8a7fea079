"""Linear maps with complex weights on real and imaginary parts side by side."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.directed.feature_linear import FeatureLinear


class ComplexLinear(nn.Module):
    r"""Several complex linear maps of the same rows, with real arithmetic.

    .. math::
        [\, \mathrm{Re}\, Y_t \,\|\, \mathrm{Im}\, Y_t \,]
        = [\, \mathrm{Re}\, X \,\|\, \mathrm{Im}\, X \,]
        \begin{pmatrix} U_t & V_t \\ -V_t & U_t \end{pmatrix}, \qquad Y_t = X (U_t + i V_t)

    Args:
        in_channels: Number of complex columns of ``x``.
        out_channels: Number of complex columns of each result.
        terms: Number of maps :math:`t`.
        real_input: Whether ``x`` is real: ``in_channels`` columns, not twice as many.

    Shapes:
        - **x:** ``(num_nodes, 2 * in_channels)``, or ``(num_nodes, in_channels)``, dense or sparse, where it is real
        - **output:** ``(num_nodes, terms * 2 * out_channels)``
    """

    def __init__(self, in_channels: int, out_channels: int, terms: int = 1, real_input: bool = False) -> None:
        super().__init__()
        self.terms, self.real_input = terms, real_input
        self.real = FeatureLinear(in_channels, terms * out_channels, bias=False)
        self.imag = FeatureLinear(in_channels, terms * out_channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Transform each row."""
        if self.real_input:
            return self._side_by_side(self.real(x), self.imag(x), dim=1)
        u, v = self.real.weight, self.imag.weight
        of_real, of_imag = self._side_by_side(u, v, dim=0), self._side_by_side(-v, u, dim=0)
        return F.linear(x, torch.cat([of_real, of_imag], dim=1))

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        self.real.reset_parameters()
        self.imag.reset_parameters()

    def _side_by_side(self, real: Tensor, imag: Tensor, dim: int) -> Tensor:
        """Put the imaginary part of each term behind its real part."""
        parts = zip(real.chunk(self.terms, dim), imag.chunk(self.terms, dim), strict=True)
        return torch.cat([half for both in parts for half in both], dim)
