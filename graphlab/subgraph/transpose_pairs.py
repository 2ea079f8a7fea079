"""Turning pairs round."""

from typing import Any

import torch
from torch import Tensor


def transpose_pairs(x: Tensor, transposed: Tensor) -> Tensor:
    r"""Return the features of the pair the other way round, :math:`y_{ij} = x_{ji}`.

    Args:
        x: Features of pairs.
        transposed: The number of each pair turned round.

    Shapes:
        - **x, output:** ``(num_pairs, channels)``
        - **transposed:** ``(num_pairs,)``
    """
    return _Transpose.apply(x, transposed)


class _Transpose(torch.autograd.Function):
    """Turning round is its own inverse, so its derivative gathers where that of indexing would scatter."""

    @staticmethod
    def forward(x: Tensor, transposed: Tensor) -> Tensor:
        return x.index_select(0, transposed)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return transpose_pairs(grads[0], *ctx.saved_tensors), None
