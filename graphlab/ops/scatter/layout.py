"""Brings any of torch_scatter's ways to name groups into one form: rows of a matrix, and the group of each."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from graphlab.ops.groups import group_csr
from graphlab.ops.segment_reduce import reduce_rows, spread_rows


@dataclass(frozen=True)
class Layout:
    """A tensor seen as a matrix whose rows fall into groups.

    Args:
        shape: The shape of the tensor.
        dim: The dimension along which elements are grouped.
        size: The number of groups along it.
        ptr: The boundaries of the groups in group order.
        perm: The row at each position of the group order; ``None`` for the same order.
        columns: The number of columns of the matrix.
        margin: Groups before the first and after the last that are not the user's.
    """

    shape: tuple[int, ...]
    dim: int
    size: int
    ptr: Tensor
    perm: Tensor | None
    columns: int
    margin: int = 0

    @property
    def length(self) -> int:
        """The number of elements along the dimension."""
        return self.shape[self.dim]

    def rows(self, src: Tensor) -> Tensor:
        """Flatten the tensor to the matrix.

        Args:
            src: A tensor of the layout's shape.
        """
        return src.reshape(math.prod(self.shape) // self.columns if self.columns else 0, self.columns)

    def unflatten(self, values: Tensor) -> Tensor:
        """Give the values of the groups the shape of the result.

        Args:
            values: One row per group.
        """
        lead, rest = self.shape[: self.dim], self.shape[self.dim + 1 :]
        wide = values.reshape(*lead, self.size + 2 * self.margin, *rest)
        return wide.narrow(self.dim, self.margin, self.size) if self.margin else wide

    def flatten(self, values: Tensor) -> Tensor:
        """Undo :meth:`unflatten`; groups that are not the user's get 0.

        Args:
            values: Values of the shape of the result.
        """
        if self.margin:
            shape = (*self.shape[: self.dim], self.margin, *self.shape[self.dim + 1 :])
            zeros = values.new_zeros(shape)
            values = torch.cat([zeros, values, zeros], self.dim)
        return values.reshape(self.ptr.numel() - 1, self.columns)

    def reduce(self, src: Tensor, reduce: str) -> Tensor:
        """Reduce each group.

        Args:
            src: A tensor of the layout's shape.
            reduce: ``"sum"``, ``"mean"``, ``"mul"``, ``"min"`` or ``"max"``.
        """
        return self.unflatten(reduce_rows(self.ptr, self.perm, self.rows(src), reduce)[0])

    def choose(self, src: Tensor, reduce: str) -> tuple[Tensor, Tensor]:
        """Find each group's extremum, and where it stands along the dimension; past the end for none.

        Args:
            src: A tensor of the layout's shape.
            reduce: ``"min"`` or ``"max"``.
        """
        out, arg = reduce_rows(self.ptr, self.perm, self.rows(src), reduce)
        place = self.ptr[:-1].long().unsqueeze(1) + arg
        if self.perm is not None and self.perm.numel():
            place = self.perm.long()[place.clamp(0, self.perm.numel() - 1)]
        # One position along the dimension may be several rows, and several leading parts stand one after the other.
        inner = math.prod(self.shape[self.dim + 1 :]) // max(self.columns, 1)
        if inner > 1:
            place = place // inner
        if math.prod(self.shape[: self.dim]) != 1:
            place = place % max(self.length, 1)
        return self.unflatten(out), self.unflatten(torch.where(arg < 0, self.length, place))

    def spread(self, values: Tensor) -> Tensor:
        """Give each element the value of its group.

        Args:
            values: Values of the shape of the result.
        """
        rows = math.prod(self.shape) // self.columns if self.columns else 0
        return spread_rows(self.ptr, self.perm, self.flatten(values), rows).view(self.shape)

    def count(self, like: Tensor) -> Tensor:
        """Count the elements of each group, in the shape of the result or one that broadcasts to it.

        Args:
            like: Decides about the precision.
        """
        count = (self.ptr[1:] - self.ptr[:-1]).to(like.dtype)
        rest = self.shape[self.dim + 1 :] if self.columns == 1 else (1,) * len(self.shape[self.dim + 1 :])
        wide = count.reshape(*self.shape[: self.dim], self.size + 2 * self.margin, *rest)
        return wide.narrow(self.dim, self.margin, self.size) if self.margin else wide


def by_index(src: Tensor, index: Tensor, dim: int, size: int | None) -> Layout:
    """Lay out a tensor by the group of each element along a dimension.

    Args:
        src: The elements.
        index: The group of each element. A vector runs along ``dim``; more dimensions align with the first ones of
            ``src`` and are broadcast over the others.
        dim: The dimension.
        size: The number of groups; read off the largest index where it is ``None``.

    Raises:
        ValueError: ``index`` does not fit ``src``, or ``dim`` does not exist.
    """
    if not -src.dim() <= dim < src.dim():
        raise ValueError(
            f"'dim' must lie in [{-src.dim()}, {src.dim()}) for 'src' of {src.dim()} dimensions, got {dim}"
        )
    dim %= src.dim()
    index = _aligned(src, index, dim)
    if size is None:
        size = int(index.max()) + 1 if index.numel() else 0
    lead, length, inner = _split(src.shape, dim)
    if all(n == 1 for i, n in enumerate(index.shape) if i != dim):
        ptr, perm = group_csr(index.reshape(-1), None, size, length)
        return Layout(tuple(src.shape), dim, size, *_repeated(ptr, perm, lead, length), columns=inner)
    trailing = all(n == 1 for n in index.shape[dim + 1 :])
    wide = index.expand(*src.shape[: dim + 1], *([1] * (src.dim() - dim - 1) if trailing else src.shape[dim + 1 :]))
    # Each part that is grouped on its own gets groups of its own.
    parts, columns = (1, inner) if trailing else (inner, 1)
    base = torch.arange(lead, device=index.device).mul(size * parts).view(lead, 1, 1)
    own = wide.reshape(lead, length, parts).long()
    flat = base + own * parts + torch.arange(parts, device=index.device)
    # Out of its own range an index must not point into the range of another part.
    flat = torch.where((own >= 0) & (own < size), flat, -1)
    _check_range(index, size)
    ptr, perm = group_csr(flat.reshape(-1), None, lead * size * parts, lead * length * parts)
    return Layout(tuple(src.shape), dim, size, ptr, perm, columns)


def by_indptr(shape: tuple[int, ...], indptr: Tensor) -> Layout:
    """Lay out a tensor by boundaries along the last dimension of ``indptr``.

    Args:
        shape: The shape of the elements.
        indptr: The boundaries; all dimensions but the last are broadcast to the first ones of the elements.

    Raises:
        ValueError: ``indptr`` does not fit.
    """
    dim = indptr.dim() - 1
    if dim < 0 or dim >= len(shape):
        raise ValueError(f"'indptr' must have 1 to {len(shape)} dimensions, as many as 'src' at most, got {dim + 1}")
    lead, length, inner = _split(shape, dim)
    if indptr.size(dim) == 0:
        indptr = indptr.new_zeros(*indptr.shape[:dim], 1)
    size = indptr.size(dim) - 1
    if lead == 1 and not torch.compiler.is_compiling() and _spans(indptr, length):
        ptr, _ = group_csr(None, indptr.reshape(-1), size, length)
        return Layout(shape, dim, size, ptr, None, inner)
    # What lies outside the boundaries becomes groups that nobody asks for.
    try:
        bounds = indptr.expand(*shape[:dim], size + 1).reshape(lead, size + 1).long()
    except RuntimeError:
        raise ValueError(
            f"'indptr' of shape {tuple(indptr.shape)} cannot be broadcast to the first {dim} dimensions of {shape}"
        ) from None
    _check_pointers(bounds, length)
    start = torch.arange(lead, device=indptr.device).mul(length).unsqueeze(1)
    inside = torch.cat([start, bounds + start], 1).reshape(-1)
    ptr = torch.cat([inside, inside.new_full((1,), lead * length)])
    return Layout(shape, dim, size, ptr, None, inner, margin=1)


def _aligned(src: Tensor, index: Tensor, dim: int) -> Tensor:
    """Give the index as many dimensions as ``src``, each of its size or 1."""
    if index.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"'index' must be int64 or int32, got {index.dtype}; use 'index.long()'")
    if index.dim() == 1:
        shape = (*[1] * dim, index.numel(), *[1] * (src.dim() - dim - 1))
    else:
        shape = (*index.shape, *[1] * (src.dim() - index.dim()))
    given = tuple(index.shape)
    if index.dim() == src.dim() and index.dim() > 1:
        # What was expanded is the same everywhere.
        for at, stride in enumerate(index.stride()):
            if at != dim and stride == 0 and index.size(at) > 1:
                index = index.narrow(at, 0, 1)
        shape = tuple(index.shape)
    fits = len(shape) == src.dim() and all(n in (1, m) for n, m in zip(shape, src.shape, strict=True))
    if not fits or shape[dim] != src.size(dim):
        raise ValueError(
            f"'index' of shape {given} cannot be broadcast to 'src' of shape {tuple(src.shape)} along dim {dim}; "
            f"it needs {src.size(dim)} entries there"
        )
    return index.reshape(shape)


def _split(shape: torch.Size | tuple[int, ...], dim: int) -> tuple[int, int, int]:
    return math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1 :])


def _repeated(ptr: Tensor, perm: Tensor | None, times: int, length: int) -> tuple[Tensor, Tensor | None]:
    """Repeat groups for each leading part."""
    if times == 1:
        return ptr, perm
    start = torch.arange(times, device=ptr.device).mul(length).unsqueeze(1)
    last = ptr.new_full((1,), times * length)
    repeated = torch.cat([(ptr[:-1] + start).reshape(-1), last])
    return repeated, None if perm is None else (perm + start).reshape(-1)


def _spans(indptr: Tensor, length: int) -> bool:
    return not torch._C._are_functorch_transforms_active() and bool(
        (indptr.reshape(-1)[0] == 0) & (indptr.reshape(-1)[-1] == length)
    )


def _check_range(index: Tensor, size: int) -> None:
    if _is_traced() or not index.numel():
        return
    low, high = (int(v) for v in index.aminmax())
    if low < 0 or high >= size:
        raise ValueError(f"'index' must lie in [0, {size}), got {low} to {high}; check 'dim_size'")


def _check_pointers(bounds: Tensor, length: int) -> None:
    if _is_traced() or not bounds.numel():
        return
    low, high = (int(v) for v in bounds.aminmax())
    if low < 0 or high > length:
        raise ValueError(f"'indptr' must lie in [0, {length}], got {low} to {high}")
    if bool((bounds[:, 1:] < bounds[:, :-1]).any()):
        raise ValueError("'indptr' must not decrease")


def _is_traced() -> bool:
    return torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
