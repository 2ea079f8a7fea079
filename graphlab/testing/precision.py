"""Low precision costs no more than it must."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch_geometric.nn.aggr import Aggregation

from graphlab.testing.groups import Groups
from graphlab.testing.law import Law, relative_error
from graphlab.testing.trial import Make, Trial, trials

#: `naive(aggr, x, index, dim_size)`: the textbook formula, run in the precision of `x`.
Naive = Callable[[Aggregation, Tensor, Tensor, int], Tensor]

DTYPES = (torch.float64, torch.float32, torch.bfloat16)
#: Errors below this many machine epsilons are rounding, whatever the formula.
ROUNDING = 4.0


def check_dtypes(
    make: Make,
    channels: int = 8,
    *,
    dtypes: Sequence[torch.dtype] = DTYPES,
    naive: Naive | None = None,
    max_eps: float = 32.0,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that the dtype is kept and that low precision is as good as it can be.

    Parameters and inputs are rounded to the precision first; the truth is the same aggregator on
    the same numbers in float64. Judged are the result and the gradient with respect to `x`.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        dtypes: Precisions to try.
        naive: The textbook formula; if given, the error may be at most twice its error in the
            same precision (and errors of 4 machine epsilons are never held against anyone).
        max_eps: Largest error in machine epsilons of the precision, if there is no `naive`.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    limits = {dtype: max_eps * torch.finfo(dtype).eps for dtype in dtypes}
    for trial in trials("dtypes", make, channels, limits, device, seed):
        groups = trial.groups(3, 1, 5, 2, 8, 30)
        truth = _truth(trial, groups)
        actual = _out_and_grad(trial.law, trial.aggr, groups.x, groups)
        bounds = (trial.bound, trial.bound)
        if naive is not None:
            bounds = _twice_naive(trial, naive, groups, truth)
        for what, a, b, limit in zip(("result", "gradient"), actual, truth, bounds, strict=True):
            trial.law.holds(a.dtype == groups.x.dtype, str(groups), str(a.dtype), "dtype of x")
            trial.law.close(f"{groups}; {what} against float64", a.double(), b, limit)


def _truth(trial: Trial, groups: Groups) -> tuple[Tensor, Tensor]:
    aggr, dtype = trial.aggr, groups.x.dtype
    try:
        return _out_and_grad(trial.law, aggr.double(), groups.x.double(), groups)
    finally:
        aggr.to(dtype)  # exact: the parameters were representable before


def _twice_naive(trial: Trial, naive: Naive, groups: Groups, truth: tuple[Tensor, Tensor]) -> tuple[float, float]:
    def formula(x: Tensor, index: Tensor, dim_size: int) -> Tensor:
        return naive(trial.aggr, x, index, dim_size)

    rounding = ROUNDING * torch.finfo(groups.x.dtype).eps
    out, grad = _out_and_grad(trial.law, formula, groups.x, groups)
    errors = (relative_error(out, truth[0]), relative_error(grad, truth[1]))
    return max(2 * errors[0], rounding), max(2 * errors[1], rounding)


def _out_and_grad(law: Law, formula: Callable[..., Tensor], x: Tensor, groups: Groups) -> tuple[Tensor, Tensor]:
    def call() -> tuple[Tensor, Tensor]:
        leaf = x.detach().clone().requires_grad_()
        out = formula(leaf, groups.index, dim_size=len(groups))
        (grad,) = torch.autograd.grad(out.sum(), leaf)
        return out.detach(), grad

    return law.run(f"{groups}, in {x.dtype}", call)
