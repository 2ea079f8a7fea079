"""Sums, means, products, minima and maxima of groups of rows."""

import torch
from torch import Tensor

from graphlab.ops.csr import rows_of
from graphlab.ops.double_backward import differentiate_again
from graphlab.ops.groups import group_csr
from graphlab.ops.op import Op
from graphlab.ops.precision import widened

REDUCES = ("sum", "mean", "mul", "min", "max")


def segment_reduce(
    x: Tensor,
    index: Tensor | None = None,
    dim_size: int | None = None,
    ptr: Tensor | None = None,
    reduce: str = "sum",
) -> Tensor:
    r"""Reduce the rows of each group.

    .. math::
        y_i = \bigoplus_{j : \text{index}_j = i} x_j, \qquad
        \bigoplus \in \{\text{sum}, \text{mean}, \text{mul}, \text{min}, \text{max}\}

    Reads each row once and writes each result once; an ``index`` that is not sorted is sorted at its first use, and
    the order is remembered. An empty group gives 0, and 1 for ``"mul"``. Of equal minima or maxima the first row is
    chosen, and gets all of the gradient; a ``nan`` is chosen before any number. Same bits for any number of threads;
    derivatives of any order.

    Args:
        x: The rows.
        index: The group of each row, in any order.
        dim_size: The number of groups; read off ``ptr``, or off the largest index, by default.
        ptr: The boundaries of groups stored one after the other, in place of ``index``.
        reduce: ``"sum"``, ``"mean"`` (rounded down where ``x`` holds integers), ``"mul"``, ``"min"`` or ``"max"``.

    Shapes:
        - **x:** ``(num_rows, *)``
        - **index:** ``(num_rows,)``
        - **ptr:** ``(dim_size + 1,)``
        - **output:** ``(dim_size, *)``

    Raises:
        ValueError: ``reduce`` is unknown, or ``index`` or ``ptr`` is malformed.

    Example:
        >>> import torch
        >>> segment_reduce(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2, 0, 2]), reduce="max").tolist()
        [2.0, 0.0, 4.0]
    """
    return segment_argreduce(x, index, dim_size, ptr, reduce)[0]


def segment_argreduce(
    x: Tensor,
    index: Tensor | None = None,
    dim_size: int | None = None,
    ptr: Tensor | None = None,
    reduce: str = "max",
) -> tuple[Tensor, Tensor]:
    """:func:`segment_reduce` together with the choice of a minimum or maximum.

    Args:
        x: The rows.
        index: The group of each row, in any order.
        dim_size: The number of groups.
        ptr: The boundaries of groups stored one after the other, in place of ``index``.
        reduce: ``"min"`` or ``"max"``; for the others the choice is empty.

    Returns:
        The result, and for each of its values the position of the chosen row among those of its group; -1 where the
        group is empty.

    Shapes:
        - **x:** ``(num_rows, *)``
        - **output:** ``(dim_size, *)`` twice, the second as int32

    Raises:
        ValueError: ``reduce`` is unknown, or ``index`` or ``ptr`` is malformed.
    """
    rows = as_rows(x)
    bounds, perm = group_csr(index, ptr, dim_size, x.size(0))
    out, arg = reduce_rows(bounds, perm, rows, reduce)
    shape = (bounds.numel() - 1, *x.shape[1:])
    return out.view(shape), arg.view(shape) if arg.dim() == 2 else arg


def reduce_rows(ptr: Tensor, perm: Tensor | None, rows: Tensor, reduce: str) -> tuple[Tensor, Tensor]:
    """:func:`segment_argreduce` of a matrix, for groups that are checked and sorted already.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order; ``None`` for the same order.
        rows: The rows.
        reduce: ``"sum"``, ``"mean"``, ``"mul"``, ``"min"`` or ``"max"``.

    Shapes:
        - **rows:** ``(num_rows, columns)``
        - **output:** ``(num_groups, columns)``

    Raises:
        ValueError: ``reduce`` is unknown.
    """
    if reduce not in REDUCES:
        raise ValueError(f"'reduce' must be one of {', '.join(map(repr, REDUCES))}, got {reduce!r}")
    if reduce == "mean" and not rows.is_floating_point():
        total, arg = segment_reduce_op(ptr, perm, rows, "sum")
        count = (ptr[1:] - ptr[:-1]).clamp(min=1).unsqueeze(1)
        return total.div(count, rounding_mode="floor").to(rows.dtype), arg
    return segment_reduce_op(ptr, perm, rows, reduce)


def spread_rows(ptr: Tensor, perm: Tensor | None, y: Tensor, length: int) -> Tensor:
    """Give each row the value of its group.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order; ``None`` for the same order.
        y: The values of the groups.
        length: The number of rows.

    Shapes:
        - **y:** ``(num_groups, columns)``
        - **output:** ``(length, columns)``
    """
    return segment_spread_op(ptr, perm, y, length, False)


def as_rows(x: Tensor) -> Tensor:
    """Flatten all dimensions but the first.

    Args:
        x: The rows.

    Shapes:
        - **x:** ``(num_rows, *)``
        - **output:** ``(num_rows, columns)``

    Raises:
        ValueError: ``x`` has no dimension.
    """
    if x.dim() == 0:
        raise ValueError("'x' must hold one row per element, got a number; one value per element is (num_elements,)")
    columns = 1
    for size in x.shape[1:]:
        columns *= size
    return x.reshape(x.size(0), columns)


def segment_reduce_ref(ptr: Tensor, perm: Tensor | None, x: Tensor, reduce: str) -> tuple[Tensor, Tensor]:
    """The specification of the raw op behind :func:`segment_reduce`.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        x: The rows.
        reduce: ``"sum"``, ``"mean"``, ``"mul"``, ``"min"`` or ``"max"``.
    """
    group, wide = rows_of(ptr, x.size(0)), widened(_ordered(perm, x))
    shape, nothing = (ptr.numel() - 1, x.size(1)), ptr.new_empty(0, dtype=torch.int32)
    spread = group.unsqueeze(1).expand_as(wide)
    if reduce == "mul":
        return wide.new_ones(shape).scatter_reduce(0, spread, wide, "prod").to(x.dtype), nothing
    if reduce in ("sum", "mean"):
        out = wide.new_zeros(shape).index_add(0, group, wide)
        if reduce == "mean":
            out = out / _count(ptr).clamp(min=1).unsqueeze(1).to(out)
        return out.to(x.dtype), nothing
    extremum = "amax" if reduce == "max" else "amin"
    out = wide.new_zeros(shape).scatter_reduce(0, spread, wide, extremum, include_self=False)
    best = out.index_select(0, group)
    local, nobody = (torch.arange(x.size(0), device=x.device) - ptr.long().index_select(0, group)), x.size(0)
    places = torch.where((wide == best) | (wide.isnan() & best.isnan()), local.unsqueeze(1), nobody)
    chosen = places.new_full(shape, nobody).scatter_reduce(0, spread, places, "amin")
    return out.to(x.dtype), torch.where(chosen == nobody, -1, chosen).to(torch.int32)


def segment_spread_ref(ptr: Tensor, perm: Tensor | None, y: Tensor, length: int, mean: bool) -> Tensor:
    """The specification of giving each row the value of its group, or an equal share of it.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        y: The values of the groups.
        length: The number of rows.
        mean: Whether each value is divided by the number of its group's rows.
    """
    if mean:
        y = (widened(y) / _count(ptr).clamp(min=1).unsqueeze(1).to(widened(y))).to(y.dtype)
    return _placed(perm, y.index_select(0, rows_of(ptr, length)))


def segment_arg_gather_ref(ptr: Tensor, perm: Tensor | None, x: Tensor, arg: Tensor) -> Tensor:
    """The specification of reading the row that each group chose.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        x: The rows.
        arg: The chosen row of each value, counted inside its group; -1 for none.
    """
    if not x.size(0):
        return x.new_zeros(arg.shape)
    place = torch.where(arg >= 0, ptr[:-1].long().unsqueeze(1) + arg, 0)
    return torch.where(arg >= 0, _ordered(perm, x).gather(0, place), 0)


def segment_arg_scatter_ref(ptr: Tensor, perm: Tensor | None, y: Tensor, arg: Tensor, length: int) -> Tensor:
    """The specification of writing to the row that each group chose.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        y: The values of the groups.
        arg: The chosen row of each value, counted inside its group; -1 for none.
        length: The number of rows.
    """
    group = rows_of(ptr, length)
    local = torch.arange(length, device=y.device) - ptr.long().index_select(0, group)
    chosen = arg.index_select(0, group) == local.unsqueeze(1)
    return _placed(perm, torch.where(chosen, y.index_select(0, group), 0))


def segment_mul_backward_ref(ptr: Tensor, perm: Tensor | None, grad: Tensor, x: Tensor) -> Tensor:
    """The specification of the gradient of products: what stands before a row times what stands behind it.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        grad: The gradients of the results.
        x: The rows.
    """
    group, wide = rows_of(ptr, x.size(0)), widened(_ordered(perm, x))
    others = _product_before(group, wide) * _product_before(group.flip(0), wide.flip(0)).flip(0)
    return _placed(perm, (widened(grad).index_select(0, group) * others).to(x.dtype))


def _product_before(group: Tensor, x: Tensor) -> Tensor:
    """Multiply the rows of the same group that stand before each row, by doubling."""
    one = x.new_ones(1)
    product = torch.where(_same(group, 1), _shifted(x, 1), one)
    step = 1
    while step < x.size(0):
        product = product * torch.where(_same(group, step), _shifted(product, step), one)
        step *= 2
    return product


def _same(group: Tensor, step: int) -> Tensor:
    behind = torch.cat([group.new_full((min(step, group.numel()),), -1), group[:-step]])
    return (behind == group).unsqueeze(1)


def _shifted(x: Tensor, step: int) -> Tensor:
    return torch.cat([x[:step], x[:-step]])


def _count(ptr: Tensor) -> Tensor:
    return (ptr[1:] - ptr[:-1]).long()


def _ordered(perm: Tensor | None, x: Tensor) -> Tensor:
    return x if perm is None else x.index_select(0, perm)


def _placed(perm: Tensor | None, ordered: Tensor) -> Tensor:
    return ordered if perm is None else torch.empty_like(ordered).index_copy(0, perm.long(), ordered)


def _reduce_fake(ptr, perm, x, reduce):
    shape = (ptr.size(0) - 1, x.size(1))
    return x.new_empty(shape), ptr.new_empty(shape if reduce in ("min", "max") else (0,), dtype=torch.int32)


def _reduce_setup(ctx, inputs, output) -> None:
    ptr, perm, x, ctx.reduce = inputs
    ctx.length = x.size(0)
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(ptr, perm, x if ctx.reduce == "mul" else None, output[1])


def _reduce_backward(ctx, grad: Tensor | None, _: Tensor | None) -> tuple:
    ptr, perm, x, arg = ctx.saved_tensors
    if grad is None:
        grad_x = None
    elif ctx.reduce == "mul":
        grad_x = segment_mul_backward_op(ptr, perm, grad, x)
    elif ctx.reduce in ("min", "max"):
        grad_x = segment_arg_scatter_op(ptr, perm, grad, arg, ctx.length)
    else:
        grad_x = segment_spread_op(ptr, perm, grad, ctx.length, ctx.reduce == "mean")
    return None, None, grad_x, None


def _spread_setup(ctx, inputs, output) -> None:
    ptr, perm, _, _, ctx.mean = inputs
    ctx.save_for_backward(ptr, perm)


def _spread_backward(ctx, grad: Tensor) -> tuple:
    ptr, perm = ctx.saved_tensors
    return None, None, segment_reduce_op(ptr, perm, grad, "mean" if ctx.mean else "sum")[0], None, None


def _arg_gather_setup(ctx, inputs, output) -> None:
    ptr, perm, x, arg = inputs
    ctx.length = x.size(0)
    ctx.save_for_backward(ptr, perm, arg)


def _arg_gather_backward(ctx, grad: Tensor) -> tuple:
    ptr, perm, arg = ctx.saved_tensors
    return None, None, segment_arg_scatter_op(ptr, perm, grad, arg, ctx.length), None


def _arg_scatter_setup(ctx, inputs, output) -> None:
    ptr, perm, _, arg, _ = inputs
    ctx.save_for_backward(ptr, perm, arg)


def _arg_scatter_backward(ctx, grad: Tensor) -> tuple:
    ptr, perm, arg = ctx.saved_tensors
    return None, None, segment_arg_gather_op(ptr, perm, grad, arg), None, None


def _mul_backward_setup(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _mul_backward_backward(ctx, of_x: Tensor) -> tuple:
    ptr, perm, grad, x = ctx.saved_tensors

    def run(grad: Tensor, x: Tensor) -> list[Tensor]:
        return [segment_mul_backward_ref(ptr, perm, grad, x)]

    return None, None, *differentiate_again(run, [of_x], [grad, x])


segment_reduce_op = Op(
    "segment_reduce",
    "(Tensor ptr, Tensor? perm, Tensor x, str reduce) -> (Tensor, Tensor)",
    values=2,
    reference=segment_reduce_ref,
    fake=_reduce_fake,
    setup=_reduce_setup,
    backward=_reduce_backward,
    vmap="columns",
)

segment_spread_op = Op(
    "segment_spread",
    "(Tensor ptr, Tensor? perm, Tensor y, SymInt length, bool mean) -> Tensor",
    values=2,
    reference=segment_spread_ref,
    fake=lambda ptr, perm, y, length, mean: y.new_empty(length, y.size(1)),
    setup=_spread_setup,
    backward=_spread_backward,
    vmap="columns",
)

segment_arg_gather_op = Op(
    "segment_arg_gather",
    "(Tensor ptr, Tensor? perm, Tensor x, Tensor arg) -> Tensor",
    values=2,
    reference=segment_arg_gather_ref,
    fake=lambda ptr, perm, x, arg: x.new_empty(arg.shape),
    setup=_arg_gather_setup,
    backward=_arg_gather_backward,
)

segment_arg_scatter_op = Op(
    "segment_arg_scatter",
    "(Tensor ptr, Tensor? perm, Tensor y, Tensor arg, SymInt length) -> Tensor",
    values=2,
    reference=segment_arg_scatter_ref,
    fake=lambda ptr, perm, y, arg, length: y.new_empty(length, y.size(1)),
    setup=_arg_scatter_setup,
    backward=_arg_scatter_backward,
)

segment_mul_backward_op = Op(
    "segment_mul_backward",
    "(Tensor ptr, Tensor? perm, Tensor grad, Tensor x) -> Tensor",
    values=3,
    reference=segment_mul_backward_ref,
    fake=lambda ptr, perm, grad, x: torch.empty_like(x),
    setup=_mul_backward_setup,
    backward=_mul_backward_backward,
)
