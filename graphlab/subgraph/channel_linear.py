"""A linear map of channels that stand in rows."""

import torch
from torch import Tensor, nn


class ChannelLinear(nn.Linear):
    r"""A linear map of the channels of many places, one row per channel.

    .. math::
        Y = W X + b 1^\top

    The parameters are those of ``torch.nn.Linear``; channels come first, as products of matrices of pairs want them.

    Args:
        in_features: Number of channels that come.
        out_features: Number of channels that go.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)

    def forward(self, input: Tensor) -> Tensor:
        """Map the channels.

        Args:
            input: One row per channel.

        Shapes:
            - **input:** ``(in_features, num_places)``
            - **output:** ``(out_features, num_places)``
        """
        return torch.addmm(self.bias[:, None], self.weight, input)
