"""A linear map whose results are gathered by attention."""

import torch
from torch import Tensor, nn

from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.operator import Operator
from graphlab.ops import gat_attention


class AttendedLinear(FeatureLinear):
    r"""What a node attends to among its neighbours of one direction.

    .. math::
        y_i = \sum_{j} \operatorname{softmax}_j\big(\mathrm{LeakyReLU}(a^\top W x_j + b^\top W x_i)\big) \, W x_j

    Of `Graph Attention Networks <https://arxiv.org/abs/1710.10903>`_ (Veličković et al., 2018), with one head.

    Args:
        in_channels: Columns of ``x``.
        out_channels: Columns of the result.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse
        - **output:** ``(num_nodes, out_channels)``
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, bias=False)
        self.att_source = nn.Parameter(torch.empty(out_channels))
        self.att_target = nn.Parameter(torch.empty(out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new parameters, as the paper's authors do."""
        nn.init.xavier_uniform_(self.weight)
        if hasattr(self, "att_source"):
            for vector in (self.att_source, self.att_target):
                nn.init.xavier_uniform_(vector.view(1, -1))

    def forward(self, x: Tensor, operator: Operator) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Transform and attend; the operator says who sees whom."""
        h = super().forward(x)
        source, target = (h @ vector.unsqueeze(1) for vector in (self.att_source, self.att_target))
        return gat_attention(source, target, h.unsqueeze(1), operator.graph).squeeze(1)
