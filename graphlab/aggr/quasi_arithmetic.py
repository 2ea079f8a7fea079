"""An exactly associative learnable aggregator: a sum in coordinates that an invertible network chooses."""

import torch
from torch import Tensor, nn

from graphlab.aggr.base import GroupedAggregation, apply_wide
from graphlab.ops.groups import group_index
from graphlab.ops.segment import segment_asinh_sum_sinh, segment_sum


class QuasiArithmeticAggregation(GroupedAggregation):
    r"""Sums in the coordinates of a learnable invertible network, and comes back.

    .. math::
        y_i = \phi^{-1} \Big( \sum_{j \in \mathcal{N}(i)} \phi(x_j) \Big), \qquad \phi = s \circ g

    :math:`g` is a stack of additive couplings (:math:`u \leftarrow u + m(v)`, then :math:`v \leftarrow v + m'(u)`,
    with small networks :math:`m, m'`), :math:`s` leaves the first half of the coordinates as they are, which makes them
    a sum, and takes the hyperbolic sine of the second half, which makes them a smooth "largest in magnitude". The
    operation :math:`x \circ y = \phi^{-1}(\phi(x) + \phi(y))` is a commutative group on all of :math:`\mathbb{R}^d` for
    any weights: associative, commutative and invertible, with identity :math:`\phi^{-1}(0)`, the value of an empty
    group. No tree is needed: the cost is that of :math:`\phi`, one sum, and :math:`\phi^{-1}`.

    The idea of an Abelian group network is Abe, Maehara and Sugiyama, "Abelian Neural Networks", 2021, arXiv
    2102.12232; the choice of :math:`\phi` is ours.

    Args:
        in_channels: Size of each element; -1 takes it from the first input. At least 2.
        out_channels: Must equal ``in_channels`` or be ``None``: the operation is closed.
        num_layers: Number of couplings.

    Shapes:
        - **x:** ``(*, num_elements, in_channels)``
        - **index:** ``(num_elements,)``, in any order, or **ptr:** ``(dim_size + 1,)``
        - **output:** ``(*, dim_size, in_channels)``

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torch
        >>> from graphlab.aggr import QuasiArithmeticAggregation
        >>> aggr = QuasiArithmeticAggregation(16)
        >>> aggr(torch.randn(5, 16), torch.tensor([2, 0, 0, 2, 2]), dim_size=4).shape
        torch.Size([4, 16])
    """

    def __init__(self, in_channels: int = -1, out_channels: int | None = None, num_layers: int = 2) -> None:
        super().__init__(in_channels, out_channels)
        if num_layers < 1:
            raise ValueError(f"'num_layers' must be at least 1, got {num_layers!r}")
        self.num_layers = num_layers
        self._finish()

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make the couplings.

        Args:
            in_channels: Size of each element.
            out_channels: Size of each result.
        """
        if in_channels != out_channels or in_channels < 2:
            raise ValueError(
                f"'out_channels' must equal 'in_channels', which must be at least 2, "
                f"got {out_channels} and {in_channels}"
            )
        low, high = in_channels // 2, in_channels - in_channels // 2
        self.to_high = nn.ModuleList(_coupling(low, high) for _ in range(self.num_layers))
        self.to_low = nn.ModuleList(_coupling(high, low) for _ in range(self.num_layers))

    def aggregate(self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int) -> Tensor:
        """Sum in the coordinates of the network.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
        """
        index = group_index(index, ptr, dim_size, rows.size(0))
        batch = rows.size(1) // self.in_channels
        low, high = self._forth(rows.view(-1, self.in_channels))
        low, high = (part.reshape(rows.size(0), batch * part.size(1)) for part in (low, high))
        low, high = segment_sum(low, index, dim_size), segment_asinh_sum_sinh(high, index, dim_size)
        low, high = (part.view(dim_size * batch, part.size(1) // batch) for part in (low, high))
        return self._back(low, high).view(dim_size, rows.size(1))

    def lift(self, x: Tensor) -> Tensor:
        """Turn elements into the states that :meth:`combine` takes: themselves.

        Args:
            x: The elements.
        """
        return x

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        r"""Return :math:`a \circ b = \phi^{-1}(\phi(a) + \phi(b))`.

        Args:
            a: First states.
            b: Second states.

        Shapes:
            - **a, b, output:** ``(num_pairs, in_channels)``
        """
        pairs = torch.arange(a.size(0), device=a.device)
        return self(torch.cat([a, b]), torch.cat([pairs, pairs]), dim_size=a.size(0))

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read the sizes off a checkpoint.

        Args:
            state: The parameters by name.
        """
        channels = sum(state[f"{side}.0.0.weight"].size(1) for side in ("to_high", "to_low"))
        return channels, channels

    def _forth(self, x: Tensor) -> tuple[Tensor, Tensor]:
        low, high = x.split([self.in_channels // 2, self.in_channels - self.in_channels // 2], 1)
        for up, down in zip(self.to_high, self.to_low, strict=True):
            high = high + apply_wide(up, low)
            low = low + apply_wide(down, high)
        return low, high

    def _back(self, low: Tensor, high: Tensor) -> Tensor:
        for up, down in zip(reversed(self.to_high), reversed(self.to_low), strict=True):
            low = low - apply_wide(down, high)
            high = high - apply_wide(up, low)
        return torch.cat([low, high], 1)


def _coupling(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(in_channels, in_channels), nn.Tanh(), nn.Linear(in_channels, out_channels))
