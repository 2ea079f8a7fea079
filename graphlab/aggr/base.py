"""What all our aggregators share: shapes, dtypes, lazy sizes, and the check of bad input."""

import math
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.parameter import UninitializedParameter, is_lazy
from torch_geometric.nn.aggr import Aggregation

from graphlab.ops.groups import Groups, make_groups

# Any sizes that every aggregator accepts, for the names of parameters whose shape is not known yet.
_PLACEHOLDERS = (2, 2)


class GroupedAggregation(Aggregation):
    r"""Base of aggregators that see each group of elements on its own.

    A subclass builds its parameters in :meth:`build` and folds rows in :meth:`aggregate`. This class accepts ``index``
    in any order, ``ptr``, or neither (one group); ``x`` of two or more dimensions with the elements along any ``dim``
    (channels are the last of the other dimensions); ``in_channels=-1`` for a size that is taken from the first input;
    and float16 or bfloat16 input, for which it computes in float32.

    Args:
        in_channels: Size of each element; -1 takes it from the first input.
        out_channels: Size of each result; ``None`` for ``in_channels``.

    Shapes:
        - **x:** ``(*, num_elements, in_channels)``
        - **index:** ``(num_elements,)`` or **ptr:** ``(dim_size + 1,)``
        - **output:** ``(*, dim_size, out_channels)``

    Raises:
        ValueError: A size is no positive integer, ``x`` has the wrong dtype or number of channels, or ``index`` or
            ``ptr`` does not describe groups of the elements of ``x``.
    """

    def __init__(self, in_channels: int = -1, out_channels: int | None = None) -> None:
        super().__init__()
        _check_size("in_channels", in_channels, lazy=True)
        if out_channels is not None:
            _check_size("out_channels", out_channels, lazy=False)
        self.in_channels = in_channels
        self.out_channels = -1 if out_channels is None else out_channels
        self.last_penalty: Tensor | None = None

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make all parameters; called once, as soon as the sizes are known.

        Args:
            in_channels: Size of each element.
            out_channels: Size of each result.
        """
        raise NotImplementedError

    def aggregate(self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int) -> Tensor:
        """Fold the rows of each group.

        Args:
            rows: The elements; a row holds ``batch`` independent parts side by side.
            index: The group of each row, in any order.
            ptr: The boundaries of the groups; wins over ``index``.
            dim_size: The number of groups.

        Shapes:
            - **rows:** ``(num_elements, batch * in_channels)``
            - **output:** ``(dim_size, batch * out_channels)``
        """
        raise NotImplementedError

    def forward(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        dim: int = -2,
        max_num_elements: int | None = None,
    ) -> Tensor:
        """Aggregate the elements of each group.

        Args:
            x: The elements.
            index: The group of each element, in any order.
            ptr: The boundaries of groups stored one after the other; wins over ``index``.
            dim_size: The number of groups; by default what ``ptr`` says or the largest ``index`` plus one.
            dim: The dimension of ``x`` that counts the elements.
            max_num_elements: Accepted for PyG's sake; nothing is padded, so nothing depends on it.
        """
        if x.dim() < 2:
            raise ValueError(f"'x' must have elements and channels, at least 2 dimensions, got shape {tuple(x.shape)}")
        if not x.is_floating_point():
            raise ValueError(f"'x' must hold floating point numbers, got {x.dtype}; use 'x.float()'")
        x = x.movedim(dim, 0)
        self.last_penalty = None
        if self.in_channels == -1:
            # First what may be refused: a module keeps open sizes until an input is accepted.
            self.groups(x.flatten(1), index, ptr, dim_size)
            self.materialize(x.size(-1))
        if x.size(-1) != self.in_channels:
            raise ValueError(
                f"'x' must have in_channels={self.in_channels} channels in its last dimension, got {x.size(-1)}"
            )
        if dim_size is None:
            dim_size = self._count_groups(index, ptr)
        dtype = torch.promote_types(x.dtype, self._dtype(x))
        # Spelled out, as -1 is ambiguous when there are no elements.
        rows = x.reshape(x.size(0), math.prod(x.shape[1:])).to(torch.promote_types(dtype, torch.float32)).contiguous()
        if math.prod(x.shape[1:-1]) == 0:
            out = rows.new_empty(dim_size, 0)
        else:
            # Autocast would undo the promise to compute in float32 at least.
            with torch.autocast(x.device.type, enabled=False):
                out = self.aggregate(rows, index, ptr, dim_size)
        return out.to(dtype).view(dim_size, *x.shape[1:-1], self.out_channels).movedim(0, dim)

    def materialize(self, in_channels: int) -> None:
        """Fix sizes that were left open, and make the parameters.

        Args:
            in_channels: Size of each element.
        """
        out_channels = in_channels if self.out_channels == -1 else self.out_channels
        waiting = {name: p for name, p in self.named_parameters() if is_lazy(p)}
        self.build(in_channels, out_channels)
        self.in_channels, self.out_channels = in_channels, out_channels
        for name, parameter in waiting.items():
            parameter.materialize(self.get_parameter(name).shape)
            self._put(name, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew; those of open sizes are drawn when their sizes are known."""
        if self.in_channels == -1:
            return
        for module in self.modules():
            if module is not self and hasattr(module, "reset_parameters"):
                module.reset_parameters()  # pyright: ignore[reportCallIssue]

    def groups(self, x: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int | None) -> Groups:
        """Return the elements of a two-dimensional ``x`` in group order.

        Args:
            x: The elements.
            index: The group of each element.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.

        Shapes:
            - **x:** ``(num_elements, in_channels)``
        """
        if index is None and ptr is None:
            index = torch.zeros(x.size(0), dtype=torch.long, device=x.device)
        return make_groups(index, ptr, self._count_groups(index, ptr) if dim_size is None else dim_size, x.size(0))

    def __repr__(self) -> str:
        parts = [str(self.in_channels), str(self.out_channels), *(f"{k}={v}" for k, v in self.options().items())]
        return f"{type(self).__name__}({', '.join(parts)})"

    def options(self) -> dict[str, Any]:
        """Return what ``repr`` shows after the sizes."""
        return {}

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read ``in_channels`` and ``out_channels`` off the parameters of a checkpoint.

        Args:
            state: The parameters by name.

        Raises:
            KeyError: A parameter that tells a size is missing.
        """
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        # The penalty hangs on a graph of the last step: neither copied nor saved.
        return {**self.__dict__, "last_penalty": None}

    def _finish(self) -> None:
        """Make the parameters, the last line of a constructor; those of open sizes wait for the first input.

        The waiting ones take their shape in place, so that an optimizer made before still trains them.
        """
        if self.in_channels != -1:
            self.materialize(self.in_channels)
            return
        before = {name for name, _ in self.named_parameters()}
        self.build(*_PLACEHOLDERS)
        for name in [name for name, _ in self.named_parameters()]:
            if name not in before:
                self._put(name, UninitializedParameter())

    def _put(self, name: str, parameter: nn.Parameter | UninitializedParameter) -> None:
        path, _, leaf = name.rpartition(".")
        self.get_submodule(path)._parameters[leaf] = parameter  # pyright: ignore[reportArgumentType]

    def _dtype(self, x: Tensor) -> torch.dtype:
        return next((p.dtype for p in self.parameters()), x.dtype)

    @staticmethod
    def _count_groups(index: Tensor | None, ptr: Tensor | None) -> int:
        if ptr is not None:
            return ptr.numel() - 1
        return int(index.max()) + 1 if index is not None and index.numel() else 0

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        if self.in_channels == -1:
            own = {key.removeprefix(prefix): value for key, value in state_dict.items() if key.startswith(prefix)}
            # A checkpoint without the telling parameters is reported by the strict check that follows.
            with suppress(KeyError):
                in_channels, out_channels = self.sizes_in(own)
                # An explicit size stays, and a checkpoint of another one is refused by the check that follows.
                self.out_channels = out_channels if self.out_channels == -1 else self.out_channels
                self.materialize(in_channels)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _check_size(name: str, value: int, lazy: bool) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and (value > 0 or (lazy and value == -1)):
        return
    hint = ", or -1 to take it from the first input" if lazy else ""
    raise ValueError(f"'{name}' must be a positive integer{hint}, got {value!r}")


def apply_wide(module: nn.Module, x: Tensor) -> Tensor:
    """Run a module with its parameters cast to the dtype of the input.

    Args:
        module: The module.
        x: The input.
    """
    return functional_call(module, {name: p.to(x.dtype) for name, p in module.named_parameters()}, (x,))


def wide(*tensors: Tensor, like: Tensor) -> list[Tensor]:
    """Cast parameters to the dtype in which rows are computed.

    Args:
        tensors: The parameters.
        like: The rows.
    """
    return [t.to(like.dtype) for t in tensors]


def penalty(model: nn.Module) -> Tensor | float:
    r"""Sum the penalties that a model's aggregators left in their last forward pass in training mode.

    .. math::
        \mathcal{L} = \mathcal{L}_\text{task} + \sum_{\text{aggregators}} \lambda \, \mathcal{L}_\text{law}

    An aggregator that is applied several times in one pass keeps the penalty of its last call.

    Args:
        model: Any module; aggregators are found at any depth.

    Returns:
        The sum, differentiable; ``0.0`` if there is none.

    Example:
        >>> import torch
        >>> from graphlab.aggr import TreeLCMAggregation, penalty
        >>> aggr = TreeLCMAggregation(8, 8, associativity=0.1)
        >>> out = aggr(torch.randn(5, 8), torch.tensor([0, 0, 0, 1, 1]))
        >>> loss = out.pow(2).mean() + penalty(aggr)
        >>> loss.backward()
    """
    found = [m.last_penalty for m in model.modules() if isinstance(m, GroupedAggregation)]
    return sum((p for p in found if p is not None), 0.0)
