"""All laws of an aggregator in one call."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import torch

from graphlab.testing.compilation import check_compile
from graphlab.testing.determinism import check_determinism
from graphlab.testing.errors import check_errors
from graphlab.testing.forms import check_batched, check_index_forms
from graphlab.testing.gradients import check_gradients
from graphlab.testing.independence import check_batch_independence, check_empty_groups
from graphlab.testing.law import BOUND, hold_all
from graphlab.testing.message_passing import check_message_passing
from graphlab.testing.permutation import check_edge_permutation, check_group_permutation
from graphlab.testing.precision import DTYPES, Naive, check_dtypes
from graphlab.testing.trial import Make

#: Names of the laws of an aggregator, as `exclude` takes them.
AGGREGATION_LAWS = (
    "batch_independence",
    "group_permutation",
    "edge_permutation",
    "empty_groups",
    "index_forms",
    "batched",
    "dtypes",
    "determinism",
    "gradients",
    "compile",
    "errors",
    "message_passing",
)


def check_aggregation(
    make: Make,
    channels: int = 8,
    *,
    permutation_bound: float | None = None,
    naive: Naive | None = None,
    dtypes: Sequence[torch.dtype] = DTYPES,
    bound: Mapping[torch.dtype, float] = BOUND,
    backend: str = "aot_eager",
    exclude: Collection[str] = frozenset(),
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Hold an aggregator against every law; each law is also a function of its own.

    Args:
        make: Builds the aggregator, with new parameters each time.
        channels: Number of input channels.
        permutation_bound: Largest relative error, in float64, when the elements of a group are
            permuted; `None` for an aggregator that depends on their order.
        naive: The textbook formula `naive(aggr, x, index, dim_size)`; low precision may cost at
            most twice what it costs there.
        dtypes: Precisions that must work.
        bound: Largest relative error, by precision, where nothing may change.
        backend: Backend of `torch.compile`.
        exclude: Names of laws, from `AGGREGATION_LAWS`, that are not asked of this aggregator.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: At least one law is broken; the message tells every broken one.
        ValueError: `exclude` names something that is no law.

    Example:
        >>> from torch_geometric.nn.aggr import SumAggregation
        >>> check_aggregation(SumAggregation, permutation_bound=1e-12, exclude={"errors"})
    """
    asked = {"make": make, "channels": channels, "device": device, "seed": seed}
    same = asked | {"bound": bound}
    hold_all(
        {
            "batch_independence": partial(check_batch_independence, **same),
            "group_permutation": partial(check_group_permutation, **same),
            "edge_permutation": partial(check_edge_permutation, **same, permutation_bound=permutation_bound),
            "empty_groups": partial(check_empty_groups, **same),
            "index_forms": partial(check_index_forms, **same),
            "batched": partial(check_batched, **same),
            "dtypes": partial(check_dtypes, **asked, dtypes=dtypes, naive=naive),
            "determinism": partial(check_determinism, **asked),
            "gradients": partial(check_gradients, **asked),
            "compile": partial(check_compile, **asked, backend=backend),
            "errors": partial(check_errors, **asked),
            "message_passing": partial(check_message_passing, **same),
        },
        exclude,
    )
