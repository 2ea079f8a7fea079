"""A linear map before or after propagation, whichever moves fewer numbers."""

import torch
from torch import Tensor

from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.operator import Operator


class GatheredLinear(FeatureLinear):
    r"""What a node gathers through an operator, transformed.

    .. math::
        y = M X W

    Computed as :math:`M (X W)` where ``X`` is sparse or the result narrower than it, else as :math:`(M X) W`.

    Args:
        in_channels: Columns of ``x``.
        out_channels: Columns of the result.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse
        - **output:** ``(num_nodes, out_channels)``
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, bias=False)

    def forward(self, x: Tensor, operator: Operator) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Transform and gather."""
        if x.layout != torch.strided or self.out_features <= self.in_features:
            return operator @ super().forward(x)
        return super().forward(operator @ x)
