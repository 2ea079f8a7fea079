"""A healthy aggregator and a healthy layer, which pass every law, to break in one place."""

import re
from collections.abc import Callable

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing
from torch_geometric.nn.aggr import Aggregation
from torch_geometric.utils import scatter

from graphlab.testing import check_aggregation, check_layer


class Healthy(Aggregation):
    """Sum of `tanh(x W)` over each group."""

    def __init__(self, in_channels: int = 8, out_channels: int = 8) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.weight = torch.nn.Parameter(torch.empty(in_channels, out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        torch.nn.init.xavier_uniform_(self.weight)

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
    ) -> Tensor:
        self.validate(x, dim)
        x = x.transpose(dim, -2)
        index = self.groups(x, index, ptr, dim_size)
        assert dim_size is not None
        return self.fold(x, index, dim_size).transpose(dim, -2)

    def validate(self, x: Tensor, dim: int) -> None:
        if dim in (-1, x.dim() - 1):
            raise ValueError(f"'dim' got {dim}, the channels; expected another")
        if x.size(-1) != self.in_channels:
            raise ValueError(f"'x' got {x.size(-1)} channels, expected {self.in_channels}")

    def groups(self, x: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int | None) -> Tensor:
        count = x.size(-2)
        if index is None:
            assert ptr is not None
            sizes = ptr.diff()
            if ptr[0] != 0 or ptr[-1] != count or bool((sizes < 0).any()):
                raise ValueError(f"'ptr' got {ptr.tolist()}, expected 0 ... {count}, never falling")
            return torch.arange(sizes.numel()).repeat_interleave(sizes)
        if index.dtype != torch.long:
            raise TypeError(f"'index' got {index.dtype}, expected torch.int64")
        if index.numel() != count:
            raise ValueError(f"'index' got {index.numel()} entries, expected {count}")
        if not torch.compiler.is_compiling() and count > 0:
            low, high = index.min(), index.max()
            if low < 0:
                raise IndexError(f"'index' got {low}, expected at least 0")
            if high >= dim_size:
                raise ValueError(f"'dim_size' got {dim_size}, expected more than {high}")
        return index

    def fold(self, x: Tensor, index: Tensor, dim_size: int) -> Tensor:
        return scatter(self.lift(x), index, dim=-2, dim_size=dim_size)

    def lift(self, x: Tensor) -> Tensor:
        return (x @ self.weight).tanh()


class HealthyConv(MessagePassing):
    """Root plus sum over neighbours of `tanh(x W)`."""

    def __init__(self, in_channels: int = 4, out_channels: int = 8) -> None:
        super().__init__(aggr="sum")
        self.lin = torch.nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        lifted = self.lift(x)
        return lifted + self.propagate(edge_index, x=lifted)

    def lift(self, x: Tensor) -> Tensor:
        return self.lin(x).tanh()

    def message(self, x_j: Tensor) -> Tensor:
        return x_j


class WrongFirst(torch.autograd.Function):
    """Identity with a gradient that is 10 % too large."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return 1.1 * grad


class WrongSecond(torch.autograd.Function):
    """Square whose gradient is right, and constant to a second differentiation."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x.detach() * grad


def told(error: AssertionError) -> set[str]:
    """Names of the laws that a message calls broken."""
    return set(re.findall(r"breaks the law '(\w+)'", str(error)))


def broken_laws(make: Callable[[], Aggregation], **kwargs) -> set[str]:
    """Names of the laws that an aggregator breaks."""
    try:
        check_aggregation(make, **kwargs)
    except AssertionError as error:
        return told(error)
    return set()


def broken_layer_laws(make: Callable[[], torch.nn.Module], **kwargs) -> set[str]:
    """Names of the laws that a layer with four input channels breaks."""
    try:
        check_layer(make, 4, **kwargs)
    except AssertionError as error:
        return told(error)
    return set()
