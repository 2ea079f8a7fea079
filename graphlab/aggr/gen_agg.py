"""The augmented f-mean: one formula that holds sum, mean, max, min and more."""

import torch
from torch import Tensor, nn

from graphlab.aggr.base import GroupedAggregation, apply_wide
from graphlab.ops.groups import group_index
from graphlab.ops.segment import segment_sum


class GenAggAggregation(GroupedAggregation):
    r"""A generalised mean under a learned function, with learned dependence on group size and mean.

    .. math::
        y_i = f^{-1} \Big( n_i^{\alpha - 1} \sum_{j \in \mathcal{N}(i)} f(x_j - \beta \mu_i) \Big), \qquad
        \mu_i = \frac{1}{n_i} \sum_{j \in \mathcal{N}(i)} x_j

    From Kortvelesy, Morad and Prorok, "Generalised f-Mean Aggregation for Graph Neural Networks", NeurIPS 2023, arXiv
    2306.13826. :math:`f` maps each channel's number to ``num_features`` numbers, the same for all channels; its inverse
    is a second network, which :meth:`inverse_loss` teaches to invert it. Both start as the identity, so that the
    aggregator starts as a mean (:math:`\alpha = 0`). With :math:`\alpha = 1, \beta = 0` and a true inverse the
    operation is an associative monoid; elsewhere it is commutative only.

    Args:
        in_channels: Size of each element; -1 takes it from the first input.
        out_channels: Must equal ``in_channels`` or be ``None``.
        num_features: Numbers that :math:`f` makes of one.
        inverse: Weight of :meth:`inverse_loss` in the penalty that a forward pass in training leaves for
            :func:`graphlab.aggr.penalty`.

    Shapes:
        - **x:** ``(*, num_elements, in_channels)``
        - **index:** ``(num_elements,)``, in any order, or **ptr:** ``(dim_size + 1,)``
        - **output:** ``(*, dim_size, in_channels)``; an empty group gives :math:`f^{-1}(0)`

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torch
        >>> from graphlab.aggr import GenAggAggregation
        >>> aggr = GenAggAggregation(16)
        >>> aggr(torch.randn(5, 16), torch.tensor([2, 0, 0, 2, 2]), dim_size=4).shape
        torch.Size([4, 16])
    """

    def __init__(
        self,
        in_channels: int = -1,
        out_channels: int | None = None,
        num_features: int = 4,
        inverse: float = 0.1,
    ) -> None:
        super().__init__(in_channels, out_channels)
        if num_features < 1:
            raise ValueError(f"'num_features' must be at least 1, got {num_features!r}")
        if not inverse >= 0:
            raise ValueError(f"'inverse' must be a weight >= 0, got {inverse!r}")
        self.num_features, self.inverse = num_features, inverse
        self._finish()

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make the function, its inverse, and the two exponents.

        Args:
            in_channels: Size of each element.
            out_channels: Size of each result.
        """
        if in_channels != out_channels:
            raise ValueError(f"'out_channels' must equal in_channels={in_channels}, got {out_channels}")
        self.forth = _network(1, self.num_features)
        self.back = _network(self.num_features, 1)
        self.alpha = nn.Parameter(torch.zeros(()))
        self.beta = nn.Parameter(torch.zeros(()))
        # Tells the size in a checkpoint: no other parameter depends on it.
        self.register_buffer("channels", torch.tensor(in_channels, device=self.alpha.device))

    def reset_parameters(self) -> None:
        """Draw all parameters anew: both networks as the identity, the aggregator as a mean."""
        super().reset_parameters()
        if self.in_channels != -1:
            for network in (self.forth, self.back):
                for parameter in network[2].parameters():
                    nn.init.zeros_(parameter)
            nn.init.zeros_(self.alpha)
            nn.init.zeros_(self.beta)

    def aggregate(self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int) -> Tensor:
        """Take the mean under the function, and leave the penalty.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
        """
        index = group_index(index, ptr, dim_size, rows.size(0))
        count = segment_sum(rows.new_ones(rows.size(0), 1), index, dim_size).clamp(min=1)
        alpha, beta = self.alpha.to(rows.dtype), self.beta.to(rows.dtype)
        mean = segment_sum(rows, index, dim_size) / count
        total = segment_sum(self._forth(rows - beta * mean[index]), index, dim_size)
        if self.training and self.inverse:
            self.last_penalty = self.inverse * self.inverse_loss(rows)
        return self._back(count.pow(alpha - 1).unsqueeze(-1) * total)

    def inverse_loss(self, x: Tensor) -> Tensor:
        r"""Mean squared error of the inverse: :math:`\operatorname{mean} (f^{-1}(f(x)) - x)^2`.

        Args:
            x: The elements at which the inverse is asked for; not differentiated.

        Shapes:
            - **x:** ``(num_elements, channels)``
            - **output:** ``()``
        """
        if x.numel() == 0:
            return x.new_zeros(())
        x = x.detach()
        return (self._back(self._forth(x)) - x).square().mean()

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read the sizes off a checkpoint.

        Args:
            state: The parameters by name.
        """
        channels = int(state["channels"])
        return channels, channels

    def _forth(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(-1)
        return x + apply_wide(self.forth, x)

    def _back(self, y: Tensor) -> Tensor:
        return (y.mean(-1, keepdim=True) + apply_wide(self.back, y)).squeeze(-1)


def _network(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(in_channels, 8), nn.Mish(), nn.Linear(8, out_channels))
