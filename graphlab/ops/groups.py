"""Which element belongs to which group: the one place where ``index`` and ``ptr`` are checked and sorted."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from graphlab.ops.cache import IndexCache
from graphlab.ops.csr import csr_from_coo, rows_of

_CACHE = IndexCache()
# The order, and the schedules of a tree or a recurrence that hang on it: about a dozen integers.
_BYTES_PER_ELEMENT = 96


@dataclass(frozen=True, eq=False)
class Groups:
    """Elements in group order.

    Args:
        ptr: Group ``i`` holds the positions ``ptr[i]`` to ``ptr[i + 1]`` of the group order.
        perm: The element at each position of the group order; ``None`` where the elements stand in it already.
        schedules: What was derived from this grouping, by name; it is remembered as long as the grouping is.

    Shapes:
        - **ptr:** ``(num_groups + 1,)``
        - **perm:** ``(num_elements,)``
    """

    ptr: Tensor
    perm: Tensor | None
    schedules: dict[str, Any] = field(default_factory=dict)

    @property
    def num_groups(self) -> int:
        """The number of groups, empty ones included."""
        return self.ptr.numel() - 1

    @property
    def num_elements(self) -> int:
        """The number of elements."""
        return int(self.ptr[-1])

    @property
    def counts(self) -> Tensor:
        """The number of elements of each group."""
        return self.ptr[1:] - self.ptr[:-1]

    @property
    def group_of(self) -> Tensor:
        """The group at each position of the group order."""
        return rows_of(self.ptr)


def make_groups(index: Tensor | None, ptr: Tensor | None, dim_size: int, length: int) -> Groups:
    r"""Check ``index`` or ``ptr`` and bring the elements into group order by one stable sort.

    The order of elements inside a group is kept, so that :math:`\text{index}[\pi_1] \le \text{index}[\pi_2] \le \dots`
    with :math:`\pi_i < \pi_{i+1}` inside each group. The result is remembered for an index with the same content.

    Args:
        index: The group of each element, in any order.
        ptr: The boundaries of groups that are stored one after the other; wins over ``index`` when both are given.
        dim_size: The number of groups.
        length: The number of elements.

    Shapes:
        - **index:** ``(num_elements,)``
        - **ptr:** ``(dim_size + 1,)``

    Raises:
        ValueError: ``index`` or ``ptr`` is no integer vector, has a wrong length, or points outside the groups.
    """
    if ptr is not None:
        _check_vector("ptr", ptr)
        size = _BYTES_PER_ELEMENT * length
        return _CACHE.get(ptr, ("ptr", dim_size, length), lambda: _from_ptr(ptr, dim_size, length), size)
    index, _ = one_of(index, None)
    _check_vector("index", index)
    size = _BYTES_PER_ELEMENT * length
    return _CACHE.get(index, ("index", dim_size, length), lambda: _from_index(index, dim_size, length), size)


@torch.library.custom_op("graphlab::group_index", mutates_args=())
def _group_index(groups: Tensor, is_ptr: bool, length: int, dim_size: int) -> Tensor:
    index, ptr = (None, groups) if is_ptr else (groups, None)
    made = make_groups(index, ptr, dim_size, length)
    # An op must not hand out what it keeps or was given: compiled code may overwrite it.
    return groups.long().clone() if index is not None else made.group_of


@_group_index.register_fake
def _(groups: Tensor, is_ptr: bool, length: int, dim_size: int) -> Tensor:
    return groups.new_empty(length, dtype=torch.long)


def group_index(index: Tensor | None, ptr: Tensor | None, dim_size: int, length: int) -> Tensor:
    """Return the checked group of each element; an op of its own, so that checking does not break a compiled graph.

    Args:
        index: The group of each element, in any order.
        ptr: The boundaries of groups stored one after the other; wins over ``index``.
        dim_size: The number of groups.
        length: The number of elements.

    Shapes:
        - **output:** ``(length,)``

    Raises:
        ValueError: ``index`` or ``ptr`` is malformed.
    """
    groups, is_ptr = one_of(index, ptr)
    return torch.ops.graphlab.group_index(groups, is_ptr, length, dim_size)


@torch.library.custom_op("graphlab::group_csr", mutates_args=())
def _group_csr(index: Tensor, dim_size: int, length: int) -> tuple[Tensor, Tensor]:
    made = make_groups(index, None, dim_size, length)
    perm = torch.arange(length, device=index.device) if made.perm is None else made.perm.clone()
    return made.ptr.clone(), perm


@_group_csr.register_fake
def _(index: Tensor, dim_size: int, length: int) -> tuple[Tensor, Tensor]:
    return index.new_empty(dim_size + 1, dtype=torch.long), index.new_empty(length, dtype=torch.long)


@_group_csr.register_vmap
def _(info, in_dims, index, dim_size, length):
    made = [_group_csr(index.select(in_dims[0], member), dim_size, length) for member in range(info.batch_size)]
    return tuple(torch.stack(part) for part in zip(*made, strict=True)), (0, 0)


def group_csr(
    index: Tensor | None, ptr: Tensor | None, dim_size: int | None, length: int
) -> tuple[Tensor, Tensor | None]:
    """Return the boundaries of the groups and the element at each position; traceable, and remembered as groups are.

    Args:
        index: The group of each element, in any order.
        ptr: The boundaries of groups stored one after the other; wins over ``index``.
        dim_size: The number of groups; read off ``ptr``, or off the largest index, where it is ``None``.
        length: The number of elements.

    Returns:
        ``ptr`` and ``perm``, which is ``None`` where the elements stand in group order already.

    Shapes:
        - **output:** ``(dim_size + 1,)`` and ``(length,)``

    Raises:
        ValueError: ``index`` or ``ptr`` is malformed.
    """
    groups, is_ptr = one_of(index, ptr)
    if dim_size is None:
        dim_size = groups.numel() - 1 if is_ptr else int(groups.max()) + 1 if groups.numel() else 0
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        # What reads pointers checks them.
        return (groups, None) if is_ptr else torch.ops.graphlab.group_csr(groups, dim_size, length)
    made = make_groups(index, ptr, dim_size, length)
    return made.ptr, made.perm


def one_of(index: Tensor | None, ptr: Tensor | None) -> tuple[Tensor, bool]:
    """Return the tensor that defines the groups, and whether it is ``ptr``; ``ptr`` wins when both are given.

    Args:
        index: The group of each element.
        ptr: The boundaries of the groups.

    Raises:
        ValueError: Both are ``None``.
    """
    if ptr is not None:
        return ptr, True
    if index is None:
        raise ValueError("one of 'index' and 'ptr' is needed to know the groups; got neither")
    return index, False


def clear_cache() -> None:
    """Forget all remembered sort orders."""
    _CACHE.clear()


def _check_vector(name: str, value: Tensor) -> None:
    if value.dim() != 1 or value.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"'{name}' must be a vector of int64 or int32, got {value.dtype} of shape {tuple(value.shape)}; "
            f"use '{name}.view(-1).long()'"
        )


def _from_ptr(ptr: Tensor, dim_size: int, length: int) -> Groups:
    ptr = ptr.long().clone()
    if ptr.numel() != dim_size + 1:
        raise ValueError(f"'ptr' must have dim_size + 1 = {dim_size + 1} entries, got {ptr.numel()}")
    if int(ptr[0]) != 0 or int(ptr[-1]) != length:
        raise ValueError(
            f"'ptr' must run from 0 to the number of elements {length}, got {int(ptr[0])} to {int(ptr[-1])}"
        )
    if bool((ptr[1:] < ptr[:-1]).any()):
        at = int((ptr[1:] < ptr[:-1]).nonzero()[0])
        raise ValueError(f"'ptr' must not decrease, but ptr[{at}] > ptr[{at + 1}]")
    return Groups(ptr, None)


def _from_index(index: Tensor, dim_size: int, length: int) -> Groups:
    index = index.long()
    if index.numel() != length:
        raise ValueError(
            f"'index' must hold the group of each of the {length} elements of 'x', got {index.numel()} entries"
        )
    if length == 0:
        return Groups(index.new_zeros(dim_size + 1), None)
    low, high = (int(v) for v in index.aminmax())
    if low < 0:
        raise ValueError(f"'index' must not be negative, got {low}")
    if high >= dim_size:
        raise ValueError(f"'index' points to group {high}, but 'dim_size' is {dim_size}; expected >= {high + 1}")
    ptr, perm = csr_from_coo(index, dim_size)
    return Groups(ptr, None if bool((index[1:] >= index[:-1]).all()) else perm)
