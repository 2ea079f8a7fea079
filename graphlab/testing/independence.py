"""A group's result depends on that group alone, and an empty group gives the identity."""

from collections.abc import Mapping

import torch

from graphlab.testing.law import BOUND
from graphlab.testing.trial import Make, Trial, trials

HUB = 500  # far beyond the other groups, so that padding to the largest group shows


def check_batch_independence(
    make: Make,
    channels: int = 8,
    *,
    bound: Mapping[torch.dtype, float] = BOUND,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that adding, removing or growing other groups changes nothing.

    Every group of a batch is held against the batch cut off after it, and against the batch in
    which another group grew by 500 elements 1000 times as large, so that even the rounding shows
    that one group leaves in another, as differences of a running sum do. Groups keep their
    places, nothing is empty, and `index` is sorted: those are other laws.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("batch_independence", make, channels, bound, device, seed):
        _check_removed(trial)
        _check_grown(trial)


def _check_removed(trial: Trial) -> None:
    groups = trial.groups(3, 1, 5, 2, 8, HUB, 4)
    whole = trial.rows(groups)
    for count in range(1, len(groups)):
        given = f"{groups}; only the first {count} groups of it"
        trial.same(given, trial.rows(groups.first(count)), whole[:count])


def _check_grown(trial: Trial) -> None:
    groups = trial.groups(3, 1, 5, 2, 8)
    before = trial.rows(groups)
    for group in range(len(groups)):
        grown = groups.grow(group, by=HUB)
        others = [i for i in range(len(groups)) if i != group]
        given = f"{grown}; group {group} grew by {HUB}, the others are the same"
        trial.same(given, trial.rows(grown)[others], before[others])


def check_empty_groups(
    make: Make,
    channels: int = 8,
    *,
    bound: Mapping[torch.dtype, float] = BOUND,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that every empty group gives one vector, the identity, whatever is beside it.

    Holds for empty groups between others, for no elements at all, and for no groups.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("empty_groups", make, channels, bound, device, seed):
        _check_identity(trial)
        _check_no_groups(trial)


def _check_identity(trial: Trial) -> None:
    none = trial.groups(0, 0, 0)
    identity = trial.rows(none)[0]
    for groups in (none, trial.groups(0, 3, 0, 1, 0, 0), trial.groups(0, HUB, 0), trial.groups(0)):
        rows = trial.rows(groups)
        trial.law.holds(rows.size(0) == len(groups), str(groups), f"{rows.size(0)} rows", f"{len(groups)}")
        empty = [i for i, size in enumerate(groups.sizes) if size == 0]
        given = f"{groups}; its empty groups against those of a batch without elements"
        trial.same(given, rows[empty], identity.expand(len(empty), -1))


def _check_no_groups(trial: Trial) -> None:
    groups = trial.groups()
    expected = trial.rows(trial.groups(1))[:0]
    for given, kwargs in (("dim_size=0", {"dim_size": 0}), ("dim_size omitted", {})):
        rows = trial.out(f"{groups}; {given}", groups.x, groups.index, **kwargs)
        trial.same(f"{groups}; {given}", rows, expected)
