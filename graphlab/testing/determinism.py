"""Two runs give the same bits."""

from collections.abc import Sequence

import torch
from torch import Tensor

from graphlab.testing.groups import Groups
from graphlab.testing.trial import Make, Trial, trials


def check_determinism(
    make: Make,
    channels: int = 8,
    *,
    dtypes: Sequence[torch.dtype] = (torch.float64, torch.float32),
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that two runs give the same bits, forward and backward.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        dtypes: Precisions to try.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("determinism", make, channels, dict.fromkeys(dtypes, 0.0), device, seed):
        groups = trial.groups(3, 1, 5, 300, 2, 64)
        first = out_and_grads(trial, groups)
        second = out_and_grads(trial, groups)
        for name, value in first.items():
            trial.same(f"{groups}; {name} of two runs", second[name], value)


def out_and_grads(trial: Trial, groups: Groups) -> dict[str, Tensor]:
    """Aggregate and differentiate; give the result and every gradient by name.

    Args:
        trial: The aggregator before its law.
        groups: The input.
    """

    def call() -> dict[str, Tensor]:
        x = groups.x.clone().requires_grad_()
        out = trial.aggr(x, groups.index, dim_size=len(groups))
        return {"result": out.detach(), **gradients(trial.aggr, x, out)}

    return trial.law.run(f"{groups}; forward and backward", call)


def gradients(module: torch.nn.Module, x: Tensor, out: Tensor) -> dict[str, Tensor]:
    """Differentiate `out`, weighted so that no two entries cancel, by `x` and all parameters.

    Args:
        module: Its parameters are differentiated by.
        x: Input that requires a gradient.
        out: Result of the module.

    Shapes:
        x: any; out: any.

    Returns:
        Gradients by name; zero where `out` does not depend on a parameter.
    """
    leaves = {"x": x} | {n: p for n, p in module.named_parameters() if p.requires_grad}
    weight = torch.linspace(0.5, 1.5, out.numel(), dtype=out.dtype, device=out.device)
    loss = (out * weight.view_as(out)).sum()
    grads = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return {f"gradient of {n}": g for n, g in zip(leaves, grads, strict=True)}
