"""Reductions over groups given by an index in any order."""

from torch import Tensor

from graphlab.ops.scatter.layout import Layout, by_index
from graphlab.ops.scatter.output import check_out, keep_better


def scatter(
    src: Tensor,
    index: Tensor,
    dim: int = -1,
    out: Tensor | None = None,
    dim_size: int | None = None,
    reduce: str = "sum",
) -> Tensor:
    r"""Reduce the elements of each group along a dimension.

    .. math::
        \text{out}_{b, i, k} = \bigoplus_{j : \text{index}_{b, j, k} = i} \text{src}_{b, j, k}

    An ``index`` that was seen before is not sorted again.

    Args:
        src: The elements.
        index: The group of each element. A vector runs along ``dim``; more dimensions align with the first ones of
            ``src``, and are broadcast over the others.
        dim: The dimension along which elements are grouped.
        out: What the result is added to (or multiplied with, ...) in place; a mean divides the sum with it.
        dim_size: The number of groups; one more than the largest index by default. Empty ones get 0, or 1 for
            ``"mul"``.
        reduce: ``"sum"`` or ``"add"``, ``"mul"``, ``"mean"`` (rounded down for integers), ``"min"`` or ``"max"``.

    Shapes:
        - **src:** ``(*, num_elements, *)``
        - **output:** ``(*, dim_size, *)``

    Raises:
        ValueError: ``reduce`` is unknown, or a shape or an index does not fit.

    Example:
        >>> import torch
        >>> src, index = torch.tensor([[5.0, 1.0, 7.0, 2.0]]), torch.tensor([0, 0, 2, 2])
        >>> scatter(src, index, dim=1, reduce="max").tolist()
        [[5.0, 0.0, 7.0]]
    """
    if reduce in ("sum", "add"):
        return scatter_sum(src, index, dim, out, dim_size)
    if reduce == "mul":
        return scatter_mul(src, index, dim, out, dim_size)
    if reduce == "mean":
        return scatter_mean(src, index, dim, out, dim_size)
    if reduce in ("min", "max"):
        if out is None:
            # Where the extrema stand takes longer to say than what they are.
            return _layout(src, index, dim, None, dim_size).reduce(src, reduce)
        return _choose(src, index, dim, out, dim_size, reduce)[0]
    raise ValueError(f"'reduce' must be 'sum', 'add', 'mul', 'mean', 'min' or 'max', got {reduce!r}")


def scatter_sum(
    src: Tensor, index: Tensor, dim: int = -1, out: Tensor | None = None, dim_size: int | None = None
) -> Tensor:
    """:func:`scatter` with ``reduce="sum"``.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: What the result is added to.
        dim_size: The number of groups.
    """
    total = _layout(src, index, dim, out, dim_size).reduce(src, "sum")
    return total if out is None else out.add_(total)


def scatter_add(
    src: Tensor, index: Tensor, dim: int = -1, out: Tensor | None = None, dim_size: int | None = None
) -> Tensor:
    """:func:`scatter_sum` by its other name.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: What the result is added to.
        dim_size: The number of groups.
    """
    return scatter_sum(src, index, dim, out, dim_size)


def scatter_mul(
    src: Tensor, index: Tensor, dim: int = -1, out: Tensor | None = None, dim_size: int | None = None
) -> Tensor:
    """:func:`scatter` with ``reduce="mul"``; derivatives are right where elements are 0, too.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: What the result is multiplied with.
        dim_size: The number of groups; empty ones get 1.
    """
    product = _layout(src, index, dim, out, dim_size).reduce(src, "mul")
    return product if out is None else out.mul_(product)


def scatter_mean(
    src: Tensor, index: Tensor, dim: int = -1, out: Tensor | None = None, dim_size: int | None = None
) -> Tensor:
    """:func:`scatter` with ``reduce="mean"``.

    Args:
        src: The elements; a mean of integers is rounded down.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: What the sum is added to, before it is divided by the number of elements.
        dim_size: The number of groups.
    """
    layout = _layout(src, index, dim, out, dim_size)
    if out is None:
        return layout.reduce(src, "mean")
    return divide_by_count(out.add_(layout.reduce(src, "sum")), layout, "floor")


def scatter_min(
    src: Tensor, index: Tensor, dim: int = -1, out: Tensor | None = None, dim_size: int | None = None
) -> tuple[Tensor, Tensor]:
    """:func:`scatter` with ``reduce="min"``, and where each minimum stands.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: What smaller elements replace.
        dim_size: The number of groups.

    Returns:
        The minima, and their positions along ``dim``; ``src.size(dim)`` where a group is empty or ``out`` was smaller.
    """
    return _choose(src, index, dim, out, dim_size, "min")


def scatter_max(
    src: Tensor, index: Tensor, dim: int = -1, out: Tensor | None = None, dim_size: int | None = None
) -> tuple[Tensor, Tensor]:
    """:func:`scatter` with ``reduce="max"``, and where each maximum stands.

    Args:
        src: The elements.
        index: The group of each element.
        dim: The dimension along which elements are grouped.
        out: What larger elements replace.
        dim_size: The number of groups.

    Returns:
        The maxima, and their positions along ``dim``; ``src.size(dim)`` where a group is empty or ``out`` was larger.
    """
    return _choose(src, index, dim, out, dim_size, "max")


def divide_by_count(total: Tensor, layout: Layout, rounding: str) -> Tensor:
    """Turn sums into means, in place.

    Args:
        total: The sums.
        layout: Knows how many elements each group has.
        rounding: How integers are rounded, ``"floor"`` or ``"trunc"``.
    """
    count = layout.count(total).clamp(min=1)
    return total.div_(count) if total.is_floating_point() else total.div_(count, rounding_mode=rounding)


def _layout(src: Tensor, index: Tensor, dim: int, out: Tensor | None, dim_size: int | None) -> Layout:
    return by_index(src, index, dim, dim_size if out is None else check_out(src, out, dim))


def _choose(
    src: Tensor, index: Tensor, dim: int, out: Tensor | None, dim_size: int | None, reduce: str
) -> tuple[Tensor, Tensor]:
    found, arg = _layout(src, index, dim, out, dim_size).choose(src, reduce)
    return (found, arg) if out is None else keep_better(out, found, arg, reduce, src.size(dim))
