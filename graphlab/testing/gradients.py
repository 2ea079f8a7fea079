"""First and second derivatives are right."""

import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call

from graphlab.testing.groups import seeded
from graphlab.testing.law import Law
from graphlab.testing.trial import Make, trials

# Noise between two runs is the law of determinism; here it only must not hide a wrong derivative.
NOISE = 1e-8


def check_gradients(
    make: Make,
    channels: int = 8,
    *,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check first and second derivatives against differences, in float64, with an empty group.

    Derivatives are with respect to `x` and all parameters.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels; few keep it fast.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input and error.
    """
    for trial in trials("gradients", make, channels, {torch.float64: NOISE}, device, seed):
        groups = trial.groups(2, 0, 5, 1)
        kwargs = {"index": groups.index, "dim_size": len(groups)}
        check_module_gradients(trial.law, trial.aggr, groups.x, kwargs, str(groups))


def check_module_gradients(law: Law, module: torch.nn.Module, x: Tensor, kwargs: dict[str, object], given: str) -> None:
    """Hold first and second derivatives of any module against differences.

    Args:
        law: The law, for messages.
        module: Module in float64, called as `module(x, **kwargs)`.
        x: Input in float64.
        kwargs: Further arguments, not differentiated by.
        given: The input in words.

    Shapes:
        x: any.

    Raises:
        AssertionError: A derivative is wrong.
    """
    names = [name for name, p in module.named_parameters() if p.requires_grad]
    leaves = (x, *(module.get_parameter(name) for name in names))
    inputs = tuple(leaf.detach().clone().requires_grad_() for leaf in leaves)

    def call(x: Tensor, *parameters: Tensor) -> Tensor:
        return functional_call(module, dict(zip(names, parameters, strict=True)), (x,), kwargs)

    given = f"{given}; derivatives by {', '.join(['x', *names])}"
    for order, check in (("first", gradcheck), ("second", gradgradcheck)):
        with seeded(0):  # the fast mode projects onto random vectors
            law.run(
                f"{given}, {order}",
                lambda check=check: check(call, inputs, nondet_tol=NOISE, fast_mode=True),
            )
