"""A linear map with weights of its own for each class of rows."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def class_linear(x: Tensor, weight: Tensor, ptr: Sequence[int]) -> Tensor:
    r"""Map rows that are sorted by class, each class by its own weights.

    .. math::
        y_i = x_i W_c \quad \text{for } \text{ptr}_c \le i < \text{ptr}_{c + 1}

    Args:
        x: The rows.
        weight: The weights of each class.
        ptr: Where the rows of each class begin.

    Shapes:
        - **x:** ``(num_rows, in_channels)``
        - **weight:** ``(num_classes, in_channels, out_channels)``
        - **ptr:** ``(num_classes + 1,)``
        - **output:** ``(num_rows, out_channels)``

    Example:
        >>> import torch
        >>> from graphlab.subgraph.class_linear import class_linear
        >>> class_linear(torch.ones(3, 1), torch.tensor([[[2.0]], [[5.0]]]), [0, 1, 3]).flatten().tolist()
        [2.0, 5.0, 5.0]
    """
    if weight.size(0) == 1:
        return x @ weight[0]
    return _ClassLinear.apply(x, weight, tuple(ptr))


class _ClassLinear(torch.autograd.Function):
    """Writes each class's rows in their place, where splitting and putting together would copy all."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, ptr: tuple[int, ...]) -> Tensor:
        out = x.new_empty(x.size(0), weight.size(2))
        for c, (begin, end) in enumerate(itertools.pairwise(ptr)):
            if begin < end:
                torch.mm(x[begin:end], weight[c], out=out[begin:end])
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        x, weight, ctx.ptr = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        of_x = class_linear(grad, weight.transpose(1, 2), ctx.ptr) if ctx.needs_input_grad[0] else None
        of_weight = _outer(x, grad, ctx.ptr) if ctx.needs_input_grad[1] else None
        return of_x, of_weight, None


def _outer(x: Tensor, grad: Tensor, ptr: tuple[int, ...]) -> Tensor:
    return torch.stack([x[a:b].T @ grad[a:b] for a, b in itertools.pairwise(ptr)])
