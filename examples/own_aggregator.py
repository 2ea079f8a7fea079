"""An aggregator of one's own, held against the laws: once with a mistake that no shape shows, once without.

Both learn a smooth maximum, (1 / t) log mean_j exp(t x_j) with t > 0: the mean as t goes to 0, the maximum as t grows.
The first one pads every group to the largest of the batch and takes the padding for data. Run
``python examples/own_aggregator.py``; expected: the padded one breaks 7 laws of 12, batch_independence among them, the
other one none, as an aggregator and inside a layer, and the order of elements moves it by float32's rounding only.
"""

import argparse
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import SAGEConv
from torch_geometric.nn.aggr import Aggregation
from torch_geometric.utils import to_dense_batch

from graphlab.aggr import GroupedAggregation
from graphlab.ops import segment_logsumexp, segment_sum
from graphlab.ops.groups import group_index
from graphlab.testing import check_aggregation, check_layer, law_errors

START = math.log(math.e - 1)  # softplus of it is 1


class PaddedSmoothMax(Aggregation):
    """How it is often written: it runs, trains, and gives the right shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.tensor(START))

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
    ) -> Tensor:
        """Aggregate, wrongly."""
        dense, _ = to_dense_batch(x, index, batch_size=dim_size)  # the mask is thrown away
        t = F.softplus(self.raw)
        return (torch.logsumexp(t * dense, 1) - math.log(dense.size(1))) / t


class SmoothMax(GroupedAggregation):
    """The same on grouped reductions; an empty group gives zero.

    The base class accepts `index`, `ptr`, any `dim` and batches, and refuses bad input with a message.
    """

    def __init__(self, in_channels: int = -1) -> None:
        super().__init__(in_channels)
        self._finish()

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make t, one a channel, behind a softplus."""
        self.raw = nn.Parameter(torch.full((in_channels,), START))

    def reset_parameters(self) -> None:
        """Start from t = 1; a size of -1 waits for the first input."""
        if self.in_channels != -1:
            nn.init.constant_(self.raw, START)

    def aggregate(self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int) -> Tensor:
        """Reduce the rows of each group."""
        index = group_index(index, ptr, dim_size, rows.size(0))
        t = F.softplus(self.raw.to(rows.dtype)).repeat(rows.size(1) // self.in_channels)
        count = segment_sum(rows.new_ones(rows.size(0), 1), index, dim_size)
        # Filled before dividing: the logarithm of an empty sum is infinite, and so would be the gradient of t.
        total = segment_logsumexp(t * rows, index, dim_size).masked_fill(count == 0, 0.0)
        return (total - count.clamp(min=1).log()) / t

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read the sizes off a checkpoint, for a size of -1."""
        return state["raw"].numel(), state["raw"].numel()


def main() -> None:
    parser = argparse.ArgumentParser(description="Hold an aggregator of one's own against the laws")
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--num_elements", type=int, default=1000)
    args = parser.parse_args()

    try:
        check_aggregation(PaddedSmoothMax, args.channels, permutation_bound=1e-12)
    except AssertionError as error:
        print(f"PaddedSmoothMax: {error}\n")

    check_aggregation(lambda: SmoothMax(args.channels), args.channels, permutation_bound=1e-12)
    check_layer(lambda: SAGEConv(args.channels, 16, aggr=SmoothMax(args.channels)), args.channels)
    print("SmoothMax keeps all laws of an aggregator and of a layer.")

    torch.manual_seed(0)
    x, index = torch.randn(args.num_elements, args.channels), torch.randint(50, (args.num_elements,))
    print(f"On {args.num_elements} elements in 50 groups: {law_errors(SmoothMax(args.channels), x, index)}")


if __name__ == "__main__":
    main()
