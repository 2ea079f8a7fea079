"""Reductions over groups given by an index along its own last dimension."""

import torch
from torch import Tensor

from graphlab.ops.scatter.layout import Layout, by_index
from graphlab.ops.scatter.output import check_out
from graphlab.ops.scatter.unsorted import divide_by_count, scatter, scatter_max, scatter_min, scatter_sum


def segment_coo(
    src: Tensor, index: Tensor, out: Tensor | None = None, dim_size: int | None = None, reduce: str = "sum"
) -> Tensor:
    """:func:`scatter` along the last dimension of ``index``, without products.

    Args:
        src: The elements.
        index: The group of each element; all dimensions but the last are broadcast to the first ones of ``src``.
            torch_scatter wants it sorted; here it need not be.
        out: What the result is added to (or compared with) in place.
        dim_size: The number of groups; one more than the largest index by default. Empty ones get 0.
        reduce: ``"sum"`` or ``"add"``, ``"mean"`` (cut to integers where ``src`` holds such), ``"min"`` or ``"max"``.

    Shapes:
        - **src:** ``(*, num_elements, *)``
        - **index:** ``(*, num_elements)``
        - **output:** ``(*, dim_size, *)``

    Raises:
        ValueError: ``reduce`` is unknown, or a shape or an index does not fit.
    """
    if reduce in ("sum", "add"):
        return segment_sum_coo(src, index, out, dim_size)
    if reduce == "mean":
        return segment_mean_coo(src, index, out, dim_size)
    if reduce in ("min", "max"):
        return scatter(src, index, _dim(src, index), out, dim_size, reduce)
    raise ValueError(f"'reduce' must be 'sum', 'add', 'mean', 'min' or 'max', got {reduce!r}")


def segment_sum_coo(src: Tensor, index: Tensor, out: Tensor | None = None, dim_size: int | None = None) -> Tensor:
    """:func:`segment_coo` with ``reduce="sum"``.

    Args:
        src: The elements.
        index: The group of each element.
        out: What the result is added to.
        dim_size: The number of groups.
    """
    return scatter_sum(src, index, _dim(src, index), out, dim_size)


def segment_add_coo(src: Tensor, index: Tensor, out: Tensor | None = None, dim_size: int | None = None) -> Tensor:
    """:func:`segment_sum_coo` by its other name.

    Args:
        src: The elements.
        index: The group of each element.
        out: What the result is added to.
        dim_size: The number of groups.
    """
    return segment_sum_coo(src, index, out, dim_size)


def segment_mean_coo(src: Tensor, index: Tensor, out: Tensor | None = None, dim_size: int | None = None) -> Tensor:
    """:func:`segment_coo` with ``reduce="mean"``.

    Args:
        src: The elements; a mean of integers is cut to an integer.
        index: The group of each element.
        out: What the sum is added to, before it is divided by the number of elements.
        dim_size: The number of groups.
    """
    dim = _dim(src, index)
    layout: Layout = by_index(src, index, dim, dim_size if out is None else check_out(src, out, dim))
    if out is None and src.is_floating_point():
        return layout.reduce(src, "mean")
    total = layout.reduce(src, "sum")
    return divide_by_count(total if out is None else out.add_(total), layout, "trunc")


def segment_min_coo(
    src: Tensor, index: Tensor, out: Tensor | None = None, dim_size: int | None = None
) -> tuple[Tensor, Tensor]:
    """:func:`segment_coo` with ``reduce="min"``, and where each minimum stands.

    Args:
        src: The elements.
        index: The group of each element.
        out: What smaller elements replace.
        dim_size: The number of groups.

    Returns:
        The minima, and their positions along the dimension; its size where a group is empty or ``out`` was smaller.
    """
    return scatter_min(src, index, _dim(src, index), out, dim_size)


def segment_max_coo(
    src: Tensor, index: Tensor, out: Tensor | None = None, dim_size: int | None = None
) -> tuple[Tensor, Tensor]:
    """:func:`segment_coo` with ``reduce="max"``, and where each maximum stands.

    Args:
        src: The elements.
        index: The group of each element.
        out: What larger elements replace.
        dim_size: The number of groups.

    Returns:
        The maxima, and their positions along the dimension; its size where a group is empty or ``out`` was larger.
    """
    return scatter_max(src, index, _dim(src, index), out, dim_size)


def gather_coo(src: Tensor, index: Tensor, out: Tensor | None = None) -> Tensor:
    """Give each element the value of its group: the reverse of :func:`segment_sum_coo`.

    Args:
        src: The values of the groups.
        index: The group of each element; all dimensions but the last are broadcast to the first ones of ``src``.
        out: Where the result is written.

    Shapes:
        - **src:** ``(*, dim_size, *)``
        - **index:** ``(*, num_elements)``
        - **output:** ``(*, num_elements, *)``

    Raises:
        ValueError: A shape does not fit.
    """
    dim = _dim(src, index)
    if all(n == 1 for n in index.shape[:dim]):
        taken = src.index_select(dim, index.reshape(-1))
    else:
        try:
            wide = index.long().expand(*src.shape[:dim], index.size(dim))
        except RuntimeError:
            raise ValueError(
                f"'index' of shape {tuple(index.shape)} cannot be broadcast to the first {dim} dimensions of 'src' of "
                f"shape {tuple(src.shape)}"
            ) from None
        wide = wide.reshape(*wide.shape, *[1] * (src.dim() - dim - 1)).expand(*wide.shape, *src.shape[dim + 1 :])
        taken = torch.gather(src, dim, wide)
    if out is None:
        return taken
    check_out(taken, out, dim)
    return out.copy_(taken)


def _dim(src: Tensor, index: Tensor) -> int:
    if not 1 <= index.dim() <= src.dim():
        raise ValueError(f"'index' must have 1 to {src.dim()} dimensions, as many as 'src' at most, got {index.dim()}")
    return index.dim() - 1
