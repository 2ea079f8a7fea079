"""Reductions over groups given by their boundaries."""

import torch
from torch import Tensor

from graphlab.ops.scatter.layout import Layout, by_indptr
from graphlab.ops.scatter.output import check_out
from graphlab.ops.scatter.unsorted import divide_by_count


def segment_csr(src: Tensor, indptr: Tensor, out: Tensor | None = None, reduce: str = "sum") -> Tensor:
    r"""Reduce the elements between boundaries, along the last dimension of ``indptr``.

    .. math::
        \text{out}_{b, i, k} = \bigoplus_{j = \text{indptr}_{b, i}}^{\text{indptr}_{b, i + 1} - 1} \text{src}_{b, j, k}

    Args:
        src: The elements.
        indptr: The boundaries, ascending; what lies outside of them is left out. All dimensions but the last are
            broadcast to the first ones of ``src``.
        out: Where the result is written.
        reduce: ``"sum"`` or ``"add"``, ``"mean"`` (cut to integers where ``src`` holds such), ``"min"`` or ``"max"``.

    Shapes:
        - **src:** ``(*, num_elements, *)``
        - **indptr:** ``(*, num_groups + 1)``
        - **output:** ``(*, num_groups, *)``

    Raises:
        ValueError: ``reduce`` is unknown, or a shape or a boundary does not fit.

    Example:
        >>> import torch
        >>> segment_csr(torch.tensor([1.0, 2.0, 4.0, 8.0]), torch.tensor([0, 1, 1, 3])).tolist()
        [1.0, 0.0, 6.0]
    """
    if reduce in ("sum", "add"):
        return segment_sum_csr(src, indptr, out)
    if reduce == "mean":
        return segment_mean_csr(src, indptr, out)
    if reduce in ("min", "max"):
        return _written(_layout(src, indptr, out).reduce(src, reduce), out)
    raise ValueError(f"'reduce' must be 'sum', 'add', 'mean', 'min' or 'max', got {reduce!r}")


def segment_sum_csr(src: Tensor, indptr: Tensor, out: Tensor | None = None) -> Tensor:
    """:func:`segment_csr` with ``reduce="sum"``.

    Args:
        src: The elements.
        indptr: The boundaries.
        out: Where the result is written.
    """
    return _written(_layout(src, indptr, out).reduce(src, "sum"), out)


def segment_add_csr(src: Tensor, indptr: Tensor, out: Tensor | None = None) -> Tensor:
    """:func:`segment_sum_csr` by its other name.

    Args:
        src: The elements.
        indptr: The boundaries.
        out: Where the result is written.
    """
    return segment_sum_csr(src, indptr, out)


def segment_mean_csr(src: Tensor, indptr: Tensor, out: Tensor | None = None) -> Tensor:
    """:func:`segment_csr` with ``reduce="mean"``.

    Args:
        src: The elements; a mean of integers is cut to an integer.
        indptr: The boundaries.
        out: Where the result is written.
    """
    layout = _layout(src, indptr, out)
    if src.is_floating_point():
        return _written(layout.reduce(src, "mean"), out)
    return _written(divide_by_count(layout.reduce(src, "sum"), layout, "trunc"), out)


def segment_min_csr(src: Tensor, indptr: Tensor, out: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """:func:`segment_csr` with ``reduce="min"``, and where each minimum stands.

    Args:
        src: The elements.
        indptr: The boundaries.
        out: Where the result is written.

    Returns:
        The minima, and their positions along the dimension; its size where a group is empty.
    """
    found, arg = _layout(src, indptr, out).choose(src, "min")
    return _written(found, out), arg


def segment_max_csr(src: Tensor, indptr: Tensor, out: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """:func:`segment_csr` with ``reduce="max"``, and where each maximum stands.

    Args:
        src: The elements.
        indptr: The boundaries.
        out: Where the result is written.

    Returns:
        The maxima, and their positions along the dimension; its size where a group is empty.
    """
    found, arg = _layout(src, indptr, out).choose(src, "max")
    return _written(found, out), arg


def gather_csr(src: Tensor, indptr: Tensor, out: Tensor | None = None) -> Tensor:
    """Give each element the value of its group: the reverse of :func:`segment_sum_csr`.

    Args:
        src: The values of the groups.
        indptr: The boundaries; all dimensions but the last are broadcast to the first ones of ``src``.
        out: Where the result is written; without it there are as many elements as the last boundary says.

    Shapes:
        - **src:** ``(*, num_groups, *)``
        - **indptr:** ``(*, num_groups + 1)``
        - **output:** ``(*, num_elements, *)``, 0 before the first and after the last boundary

    Raises:
        ValueError: A shape or a boundary does not fit.
    """
    dim = indptr.dim() - 1
    groups = max(indptr.size(dim) - 1, 0) if dim >= 0 else -1
    if dim < 0 or dim >= src.dim() or src.size(dim) != groups:
        raise ValueError(
            f"'src' must hold one value for each of the {groups} groups along dim {dim}, got shape {tuple(src.shape)}"
        )
    length = _last(indptr) if out is None else check_out(src, out, dim)
    return _written(by_indptr((*src.shape[:dim], length, *src.shape[dim + 1 :]), indptr).spread(src), out)


def _last(indptr: Tensor) -> int:
    return int(indptr.reshape(-1)[-1]) if indptr.numel() else 0


def _layout(src: Tensor, indptr: Tensor, out: Tensor | None) -> Layout:
    if indptr.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"'indptr' must be int64 or int32, got {indptr.dtype}; use 'indptr.long()'")
    layout = by_indptr(tuple(src.shape), indptr)
    if out is not None and check_out(src, out, layout.dim) != layout.size:
        raise ValueError(
            f"'out' must hold {layout.size} groups along dim {layout.dim}, one fewer than 'indptr' has entries, "
            f"got {out.size(layout.dim)}"
        )
    return layout


def _written(result: Tensor, out: Tensor | None) -> Tensor:
    return result if out is None else out.copy_(result)
