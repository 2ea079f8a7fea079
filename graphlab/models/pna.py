"""Principal neighbourhood aggregation as one aggregator that keeps the number of channels."""

import torch
from torch import Tensor
from torch_geometric.nn import Linear
from torch_geometric.nn.aggr import Aggregation, DegreeScalerAggregation


class PNAAggregation(Aggregation):
    r"""Mean, minimum, maximum and standard deviation, each at three scales of the group's size, and a linear map.

    .. math::
        y_i = W \left[ 1, \frac{\log(n_i + 1)}{\delta}, \frac{\delta}{\log(n_i + 1)} \right] \otimes
        [\mathrm{mean}, \min, \max, \mathrm{std}](X_i)

    From Corso et al., "Principal Neighbourhood Aggregation for Graph Nets", 2020, arXiv 2004.05718. The normaliser
    :math:`\delta` is learned, from that of groups of ``typical_size`` on, so that no degree of the training set needs
    to be counted.

    Args:
        in_channels: Size of each element.
        out_channels: Size of each result; ``None`` for ``in_channels``.
        typical_size: A group size of which :math:`\delta` starts.

    Shapes:
        - **x:** ``(num_elements, in_channels)``
        - **output:** ``(dim_size, out_channels)``
    """

    def __init__(self, in_channels: int, out_channels: int | None = None, typical_size: int = 8) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels or in_channels
        sizes = torch.zeros(typical_size + 1, dtype=torch.long)
        sizes[typical_size] = 1
        scales = ["identity", "amplification", "attenuation"]
        self.aggr = DegreeScalerAggregation(["mean", "min", "max", "std"], scales, sizes, train_norm=True)
        self.lin = Linear(12 * in_channels, self.out_channels)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.aggr.reset_parameters()
        self.lin.reset_parameters()

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
    ) -> Tensor:
        """Aggregate the elements of each group.

        Args:
            x: The elements.
            index: The group of each element.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
            dim: The dimension of ``x`` that counts the elements.
        """
        return self.lin(self.aggr(x, index, ptr, dim_size, dim))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels})"
