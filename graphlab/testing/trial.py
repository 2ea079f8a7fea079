"""An aggregator before a law: built, in eval mode, in one precision."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn.aggr import Aggregation

from graphlab.testing.groups import Groups, draw, ragged, seeded
from graphlab.testing.law import Law

#: Builds the aggregator to judge, with new parameters each time.
Make = Callable[[], Aggregation]


@dataclass(frozen=True)
class Trial:
    """One law, one aggregator, one precision.

    Args:
        law: The law, for messages.
        aggr: The aggregator, in eval mode.
        like: An empty tensor of shape `(0, channels)` with dtype and device of the trial.
        bound: Largest relative error where nothing may change.
        seed: Seed of the inputs.
    """

    law: Law
    aggr: Aggregation
    like: Tensor
    bound: float
    seed: int

    def groups(self, *sizes: int) -> Groups:
        """Draw random groups of the given sizes."""
        return ragged(self.like, sizes, self.seed)

    def draw(self, *shape: int) -> Tensor:
        """Draw a random tensor."""
        return draw(self.like, shape, self.seed)

    def out(self, given: object, *args: Any, **kwargs: Any) -> Tensor:
        """Aggregate without gradient; what the aggregator raises breaks the law."""
        with torch.no_grad():
            return self.law.run(str(given), lambda: self.aggr(*args, **kwargs))

    def rows(self, groups: Groups) -> Tensor:
        """Aggregate groups in the plainest form: sorted `index` and `dim_size`."""
        return self.out(groups, groups.x, groups.index, dim_size=len(groups))

    def same(self, given: object, actual: Tensor, expected: Tensor) -> None:
        """Check two results for equality within the bound."""
        self.law.close(str(given), actual, expected, self.bound)


def trials(
    name: str,
    make: Make,
    channels: int,
    bound: Mapping[torch.dtype, float],
    device: torch.device | str,
    seed: int,
) -> Iterator[Trial]:
    """Yield one trial for every precision that has a bound.

    Args:
        name: Name of the law.
        make: Builds the aggregator.
        channels: Number of input channels.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.
    """
    for dtype, limit in bound.items():
        aggr = build(make, channels, dtype, device, seed)
        like = torch.empty(0, channels, dtype=dtype, device=device)
        yield Trial(Law(name, repr(aggr)), aggr, like, limit, seed)


def build(make: Make, channels: int, dtype: torch.dtype, device: torch.device | str, seed: int) -> Aggregation:
    """Build an aggregator in eval mode, its lazy parameters given their shapes by one call.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        dtype: Precision of parameters.
        device: Device of parameters.
        seed: Seed of parameters; the global generator is left as it was.

    Raises:
        AssertionError: It can not aggregate one group of two elements.
    """
    with seeded(seed):
        aggr = make().to(device, dtype).eval()
        x = torch.ones(2, channels, dtype=dtype, device=device)
        index = torch.zeros(2, dtype=torch.long, device=device)
        given = f"x {list(x.shape)} {dtype}, one group of 2"
        Law("one group", repr(aggr)).run(given, lambda: aggr(x, index, dim_size=1))
    return aggr.to(device, dtype)
