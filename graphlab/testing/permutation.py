"""Permuting groups or elements permutes the result, exactly or within a stated bound."""

from collections.abc import Mapping

import torch

from graphlab.testing.groups import shuffled
from graphlab.testing.law import BOUND
from graphlab.testing.trial import Make, Trial, trials

SIZES = (3, 1, 5, 2, 16, 4)


def check_group_permutation(
    make: Make,
    channels: int = 8,
    *,
    bound: Mapping[torch.dtype, float] = BOUND,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that renaming the groups permutes the rows of the result.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("group_permutation", make, channels, bound, device, seed):
        groups = trial.groups(*SIZES)
        order = shuffled(len(groups), seed).tolist()
        given = f"{groups}; its groups in the order {order}"
        trial.same(given, trial.rows(groups.reorder(order)), trial.rows(groups)[order])


def check_edge_permutation(
    make: Make,
    channels: int = 8,
    *,
    permutation_bound: float | None = None,
    bound: Mapping[torch.dtype, float] = BOUND,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that the order of the elements changes nothing.

    Mixing the elements of different groups must change nothing for any aggregator, as long as
    each group keeps its own order. An aggregator that is invariant states a bound, and then the
    order within the groups must not matter either.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        permutation_bound: Largest relative error, in float64, under any permutation; `None` for
            an aggregator that depends on the order within a group.
        bound: Largest relative error by precision for mixing groups.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("edge_permutation", make, channels, bound, device, seed):
        _check_mixed(trial)
    if permutation_bound is not None:
        full = {torch.float64: permutation_bound}
        for trial in trials("edge_permutation", make, channels, full, device, seed):
            _check_within(trial)


def _check_mixed(trial: Trial) -> None:
    groups = trial.groups(*SIZES)
    mixed = groups.index[shuffled(sum(SIZES), trial.seed).to(groups.x.device)]
    # The k-th element of a group, in the mixed order, is the group's k-th element.
    x = torch.empty_like(groups.x)
    x[mixed.argsort(stable=True)] = groups.x
    given = f"{groups}; elements of different groups mixed, each group in its own order"
    trial.same(given, trial.out(given, x, mixed, dim_size=len(groups)), trial.rows(groups))


def _check_within(trial: Trial) -> None:
    groups = trial.groups(*SIZES)
    expected = trial.rows(groups)
    for sample in range(3):
        order = shuffled(sum(SIZES), trial.seed + sample).to(groups.x.device)
        order = order[groups.index[order].argsort(stable=True)]
        given = f"{groups}; elements permuted within their groups (sample {sample})"
        actual = trial.out(given, groups.x[order], groups.index, dim_size=len(groups))
        trial.same(given, actual, expected)
