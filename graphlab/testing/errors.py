"""A bad input raises an error that names the argument, and changes nothing."""

import copy
import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphlab.testing.groups import Groups
from graphlab.testing.law import headline
from graphlab.testing.trial import Make, Trial, trials

KINDS = (ValueError, IndexError, TypeError)


@dataclass(frozen=True)
class BadInput:
    """A call that must raise.

    Args:
        what: What is wrong with it.
        names: The message must contain one of these words.
        x: Elements.
        kwargs: Further arguments.
    """

    what: str
    names: tuple[str, ...]
    x: Tensor
    kwargs: dict[str, Any]


def check_errors(
    make: Make,
    channels: int = 8,
    *,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that bad inputs raise `ValueError`, `IndexError` or `TypeError` naming the argument.

    Parameters, buffers and inputs must be what they were. An aggregator with an attribute
    `in_channels` or `channels` greater than one must also refuse another number of channels.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names the input and what happened.
    """
    for trial in trials("errors", make, channels, {torch.float64: 0.0}, device, seed):
        groups = trial.groups(3, 0, 2)
        for bad in _bad_inputs(groups) + _bad_channels(trial, groups):
            _check_raises(trial, bad)


def _bad_inputs(groups: Groups) -> list[BadInput]:
    x, index = groups.x, groups.index
    negative = index.clone()
    negative[1] = -1
    good = {"index": index, "dim_size": len(groups)}
    return [
        BadInput("dim=2 of a matrix", ("dim", "dimension"), x, good | {"dim": 2}),
        BadInput("dim=-3 of a matrix", ("dim", "dimension"), x, good | {"dim": -3}),
        BadInput("dim_size too small", ("dim_size",), x, good | {"dim_size": 2}),
        BadInput("dim_size negative", ("dim_size",), x, good | {"dim_size": -1}),
        BadInput("index too short", ("index",), x, good | {"index": index[:-1]}),
        BadInput("index too long", ("index",), x[:-1], good),
        BadInput("index negative", ("index",), x, good | {"index": negative}),
        BadInput("index of float dtype", ("index",), x, good | {"index": index.to(x.dtype)}),
        BadInput("ptr falling", ("ptr",), x, _ptr(x, [0, 3, 2, 5])),
        BadInput("ptr starting after 0", ("ptr",), x, _ptr(x, [1, 3, 3, 5])),
        BadInput("ptr ending before E", ("ptr",), x, _ptr(x, [0, 3, 3, 4])),
        BadInput("ptr ending after E", ("ptr",), x, _ptr(x, [0, 3, 3, 6])),
    ]


def _ptr(x: Tensor, values: list[int]) -> dict[str, Any]:
    return {"ptr": torch.tensor(values, device=x.device)}


def _bad_channels(trial: Trial, groups: Groups) -> list[BadInput]:
    channels = groups.x.size(-1)
    own = [getattr(trial.aggr, name, None) for name in ("in_channels", "channels")]
    if channels < 2 or channels not in own:
        return []
    names = ("x", "channels", "in_channels")
    wide = torch.cat([groups.x, groups.x], dim=-1)
    kwargs = {"index": groups.index, "dim_size": len(groups)}
    return [BadInput("twice the number of channels", names, wide, kwargs)]


def _check_raises(trial: Trial, bad: BadInput) -> None:
    state = copy.deepcopy(trial.aggr.state_dict())
    before = {k: v.clone() for k, v in bad.kwargs.items() if isinstance(v, Tensor)}
    x = bad.x.clone()
    saw, right = _outcome(trial, bad)
    names = " or ".join(f"'{name}'" for name in bad.names)
    expected = f"a ValueError, IndexError or TypeError whose message names {names}"
    trial.law.holds(right, bad.what, saw, expected)
    unchanged = torch.equal(bad.x, x) and all(torch.equal(bad.kwargs[k], before[k]) for k in before)
    trial.law.holds(unchanged, bad.what, "inputs were changed", "inputs as they were")
    now = trial.aggr.state_dict()
    kept = now.keys() == state.keys() and all(torch.equal(now[k], state[k]) for k in state)
    trial.law.holds(kept, bad.what, "parameters were changed", "parameters as they were")


def _outcome(trial: Trial, bad: BadInput) -> tuple[str, bool]:
    try:
        out = trial.aggr(bad.x, **bad.kwargs)
    except Exception as error:
        names = "|".join(map(re.escape, bad.names))
        named = re.search(rf"\b({names})\b", str(error)) is not None
        return headline(error), isinstance(error, KINDS) and named
    return f"no error but a result of shape {list(out.shape)}", False
