"""Softmax, its logarithm, summed exponentials and standard deviation of groups given by an index in any order."""

import torch
from torch import Tensor

from graphlab.ops.scatter.layout import by_index
from graphlab.ops.scatter.output import check_out
from graphlab.ops.segment_softmax import logsumexp_rows, softmax_rows

__all__ = ["scatter_log_softmax", "scatter_logsumexp", "scatter_softmax", "scatter_std"]


def scatter_softmax(src: Tensor, index: Tensor, dim: int = -1, dim_size: int | None = None) -> Tensor:
    """:func:`graphlab.ops.segment_softmax` along a dimension, with the broadcasting of :func:`scatter`.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        dim_size: The number of groups.

    Shapes:
        - **src, output:** ``(*, num_elements, *)``

    Raises:
        ValueError: ``src`` holds integers, or a shape or an index does not fit.
    """
    return _softmax(src, index, dim, dim_size, False)


def scatter_log_softmax(
    src: Tensor, index: Tensor, dim: int = -1, eps: float = 1e-12, dim_size: int | None = None
) -> Tensor:
    """:func:`graphlab.ops.segment_log_softmax` along a dimension, with the broadcasting of :func:`scatter`.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        eps: Has no effect: a sum of exponentials that holds the largest, 1, needs no help. Kept for torch_scatter's
            callers.
        dim_size: The number of groups.

    Shapes:
        - **src, output:** ``(*, num_elements, *)``

    Raises:
        ValueError: ``src`` holds integers, or a shape or an index does not fit.
    """
    return _softmax(src, index, dim, dim_size, True)


def scatter_logsumexp(
    src: Tensor,
    index: Tensor,
    dim: int = -1,
    out: Tensor | None = None,
    dim_size: int | None = None,
    eps: float = 1e-12,
) -> Tensor:
    """:func:`graphlab.ops.segment_logsumexp` along a dimension, with the broadcasting of :func:`scatter`.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: One more element of each group; the result is written over it.
        dim_size: The number of groups.
        eps: Has no effect, as in :func:`scatter_log_softmax`.

    Returns:
        The result; 0, as torch_scatter has it, where nothing is above ``-inf``.

    Shapes:
        - **src:** ``(*, num_elements, *)``
        - **output:** ``(*, dim_size, *)``

    Raises:
        ValueError: ``src`` holds integers, or a shape or an index does not fit.
    """
    _check_floating(src)
    layout = by_index(src, index, dim, dim_size if out is None else check_out(src, out, dim))
    level = layout.unflatten(logsumexp_rows(layout.ptr, layout.perm, layout.rows(src)))
    if out is not None:
        held, nothing = out.clone(), level == -torch.inf
        level = torch.where(nothing, held, torch.logaddexp(torch.where(nothing, 0, level), held))
    level = torch.where(level == -torch.inf, 0, level)
    return level if out is None else out.copy_(level)


def scatter_std(
    src: Tensor,
    index: Tensor,
    dim: int = -1,
    out: Tensor | None = None,
    dim_size: int | None = None,
    unbiased: bool = True,
) -> Tensor:
    r"""Standard deviation of each group along a dimension.

    .. math::
        \text{out}_i = \sqrt{\frac{\sum_{j : \text{index}_j = i} (\text{src}_j - \mu_i)^2}
        {\max(n_i - \text{unbiased}, 1) + 10^{-6}}}

    Unlike torch_scatter's, its gradient is 0, not ``nan``, where all elements of a group are equal.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: What the sum of squares is added to in place; the result is another tensor.
        dim_size: The number of groups; empty ones get 0.
        unbiased: Whether to divide by one less than the number of elements.

    Shapes:
        - **src:** ``(*, num_elements, *)``
        - **output:** ``(*, dim_size, *)``

    Raises:
        ValueError: ``src`` holds integers, or a shape or an index does not fit.
    """
    _check_floating(src)
    layout = by_index(src, index, dim, dim_size if out is None else check_out(src, out, dim))
    total = layout.reduce((src - layout.spread(layout.reduce(src, "mean"))).square(), "sum")
    if out is not None:
        total = out.add_(total)
    count = layout.count(total)
    variance = total / ((count - 1 if unbiased else count).clamp(min=1) + 1e-6)
    # The square root has no finite slope at 0.
    flat = variance == 0
    return torch.where(flat, 0, torch.where(flat, 1, variance).sqrt())


def _softmax(src: Tensor, index: Tensor, dim: int, dim_size: int | None, log: bool) -> Tensor:
    _check_floating(src)
    layout = by_index(src, index, dim, dim_size)
    return softmax_rows(layout.ptr, layout.perm, layout.rows(src), log).view(src.shape)


def _check_floating(src: Tensor) -> None:
    if not src.is_floating_point():
        raise ValueError(f"'src' must be of a floating point type, got {src.dtype}; use 'src.float()'")
