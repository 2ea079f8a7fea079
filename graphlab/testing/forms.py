"""One result whatever the form of the input: index or ptr, leading axes, any dim."""

from collections.abc import Mapping

import torch
from torch import Tensor

from graphlab.testing.groups import Groups, shuffled
from graphlab.testing.law import BOUND, headline
from graphlab.testing.trial import Make, Trial, trials

SIZES = (3, 1, 5, 2)


def check_index_forms(
    make: Make,
    channels: int = 8,
    *,
    bound: Mapping[torch.dtype, float] = BOUND,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that sorted `index`, unsorted `index`, `ptr` and no index at all give one result.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("index_forms", make, channels, bound, device, seed):
        _check_sorted(trial, trial.groups(*SIZES))
        _check_unsorted(trial, trial.groups(*SIZES))
        _check_one_group(trial, trial.groups(5))


def _check_sorted(trial: Trial, groups: Groups) -> None:
    expected, size = trial.rows(groups), len(groups)
    forms = {
        "index, dim_size omitted": {"index": groups.index},
        "ptr": {"ptr": groups.ptr},
        "ptr and dim_size": {"ptr": groups.ptr, "dim_size": size},
        "index and ptr": {"index": groups.index, "ptr": groups.ptr, "dim_size": size},
    }
    for form, kwargs in forms.items():
        given = f"{groups}; given by {form}"
        trial.same(given, trial.out(given, groups.x, **kwargs), expected)


def _check_unsorted(trial: Trial, groups: Groups) -> None:
    # Reversed as a whole, then reversed back within each group: unsorted, same order per group.
    reversed_groups = groups.reorder(list(range(len(groups)))[::-1])
    index = groups.index.flip(0)
    expected = trial.rows(groups)
    for form, kwargs in (("", {"dim_size": len(groups)}), (", dim_size omitted", {})):
        given = f"{groups}; given by unsorted index{form}"
        trial.same(given, trial.out(given, reversed_groups.x, index, **kwargs), expected)


def _check_one_group(trial: Trial, groups: Groups) -> None:
    given = f"{groups}; one group, given by neither index nor ptr"
    trial.same(given, trial.out(given, groups.x), trial.rows(groups))


def check_batched(
    make: Make,
    channels: int = 8,
    *,
    bound: Mapping[torch.dtype, float] = BOUND,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that leading axes are a loop, and that any `dim` can hold the elements.

    `x` of shape `(B, E, F)`, `(A, B, E, F)` and, with `dim=0`, `(E, B, F)` must equal a loop. For
    `x` of shape `(F, E)` with `dim=-1` the aggregator must either give the transposed result or
    raise a `ValueError` that names `dim`.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("batched", make, channels, bound, device, seed):
        groups = trial.groups(*SIZES)
        order = shuffled(sum(SIZES), seed).to(groups.x.device)
        batch = trial.draw(2, 3, sum(SIZES), channels)
        for index in (groups.index, groups.index[order]):
            _check_leading(trial, batch, index)
        _check_transposed(trial, groups)


def _check_leading(trial: Trial, batch: Tensor, index: Tensor) -> None:
    size, (a, b) = len(SIZES), batch.shape[:2]
    loop = [[trial.out("one of a batch", x, index, dim_size=size) for x in xs] for xs in batch]
    expected = torch.stack([torch.stack(rows) for rows in loop])
    cases = {
        "x (B, E, F)": (batch[0], -2, expected[0]),
        "x (B, E, F), dim=1": (batch[0], 1, expected[0]),
        "x (A, B, E, F)": (batch, -2, expected),
        "x (E, B, F), dim=0": (batch[0].transpose(0, 1), 0, expected[0].transpose(0, 1)),
        "x (A, E, B, F), dim=-3": (batch.transpose(1, 2), -3, expected.transpose(1, 2)),
    }
    for form, (x, dim, rows) in cases.items():
        given = f"{form}, A={a}, B={b}, group sizes {SIZES}, {x.dtype}, seed {trial.seed}"
        trial.same(given, trial.out(given, x, index, dim_size=size, dim=dim), rows)


def _check_transposed(trial: Trial, groups: Groups) -> None:
    given = f"{groups}; transposed to (F, E), dim=-1"
    try:
        with torch.no_grad():
            actual = trial.aggr(groups.x.t(), groups.index, dim_size=len(groups), dim=-1)
    except ValueError as error:
        saw = f"it raised {headline(error)}"
        trial.law.holds("dim" in str(error), given, saw, "a message that names 'dim'")
    except Exception as error:
        saw = f"it raised {headline(error)}"
        trial.law.holds(False, given, saw, "the transposed result, or a ValueError naming 'dim'")
    else:
        trial.same(given, actual, trial.rows(groups).t())
