"""Backward passes that can be differentiated themselves."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def differentiate_again(
    function: Callable[..., Sequence[Tensor]], grads: Sequence[Tensor | None], inputs: Sequence[Tensor]
) -> list[Tensor | None]:
    """Gradients of a function that can be differentiated themselves, where gradients are wanted at all.

    Args:
        function: Maps the inputs to outputs by plain autograd.
        grads: The gradient that reaches each output; ``None`` for none.
        inputs: Where to differentiate; those that want no gradient get ``None``.
    """
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        # Names of their own: one input may be a function of another, or the same tensor twice.
        own = [t.view_as(t) if t.requires_grad else t for t in inputs]
        pairs = [(o, g) for o, g in zip(function(*own), grads, strict=True) if g is not None and o.requires_grad]
    wanted = [t for t in own if t.requires_grad]
    if not pairs:
        return [torch.zeros_like(t) if t.requires_grad else None for t in inputs]
    found = iter(
        torch.autograd.grad(
            [o for o, _ in pairs], wanted, [g for _, g in pairs], create_graph=again, materialize_grads=True
        )
    )
    return [next(found) if t.requires_grad else None for t in inputs]
