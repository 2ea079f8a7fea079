"""Backward passes that can be differentiated themselves."""

import torch
from torch import Tensor


def differentiate_again(outputs: list[Tensor], grads: list[Tensor | None], inputs: list[Tensor]) -> list[Tensor | None]:
    """Gradients of ``inputs`` that can be differentiated themselves.

    Args:
        outputs: Functions of the inputs.
        grads: The gradient that reaches each output; ``None`` for none.
        inputs: The tensors to differentiate for; those that want no gradient get ``None``.
    """
    pairs = [(o, g) for o, g in zip(outputs, grads, strict=True) if g is not None and o.requires_grad]
    wanted = [t for t in inputs if t.requires_grad]
    found = iter(
        torch.autograd.grad(
            [o for o, _ in pairs],
            wanted,
            [g for _, g in pairs],
            create_graph=True,
            allow_unused=True,
        )
    )
    return [next(found) if t.requires_grad else None for t in inputs]
