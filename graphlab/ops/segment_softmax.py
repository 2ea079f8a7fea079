"""Softmax, its logarithm and the logarithm of summed exponentials, over groups of rows."""

import torch
from torch import Tensor

from graphlab.ops.csr import rows_of
from graphlab.ops.groups import group_csr
from graphlab.ops.op import Op
from graphlab.ops.precision import widened
from graphlab.ops.segment_reduce import as_rows, reduce_rows, spread_rows


def segment_softmax(
    x: Tensor, index: Tensor | None = None, dim_size: int | None = None, ptr: Tensor | None = None
) -> Tensor:
    r"""Softmax over the rows of each group, column by column.

    .. math::
        y_j = \frac{\exp(x_j)}{\sum_{k : \text{index}_k = \text{index}_j} \exp(x_k)}

    Two reads and one write; the backward pass :math:`\bar x = y (\bar y - \sum \bar y y)` as well. What it gives for
    infinities and ``nan`` is what :func:`torch.softmax` gives on the rows of the group: a group of ``-inf`` alone, or
    with one ``inf``, becomes ``nan``. Same bits for any number of threads; derivatives of any order.

    Args:
        x: The rows.
        index: The group of each row, in any order.
        dim_size: The number of groups; read off ``ptr``, or off the largest index, by default.
        ptr: The boundaries of groups stored one after the other, in place of ``index``.

    Shapes:
        - **x, output:** ``(num_rows, *)``
        - **index:** ``(num_rows,)``
        - **ptr:** ``(dim_size + 1,)``

    Raises:
        ValueError: ``x`` holds integers, or ``index`` or ``ptr`` is malformed.

    Example:
        >>> import torch
        >>> segment_softmax(torch.zeros(4), torch.tensor([1, 0, 1, 3])).tolist()
        [0.5, 1.0, 0.5, 1.0]
    """
    bounds, perm = group_csr(index, ptr, dim_size, x.size(0))
    return softmax_rows(bounds, perm, _checked(x), False).view(x.shape)


def segment_log_softmax(
    x: Tensor, index: Tensor | None = None, dim_size: int | None = None, ptr: Tensor | None = None
) -> Tensor:
    r"""Logarithm of :func:`segment_softmax`, without its underflow.

    .. math::
        y_j = x_j - \log \sum_{k : \text{index}_k = \text{index}_j} \exp(x_k)

    Args:
        x: The rows.
        index: The group of each row, in any order.
        dim_size: The number of groups; read off ``ptr``, or off the largest index, by default.
        ptr: The boundaries of groups stored one after the other, in place of ``index``.

    Shapes:
        - **x, output:** ``(num_rows, *)``

    Raises:
        ValueError: ``x`` holds integers, or ``index`` or ``ptr`` is malformed.
    """
    bounds, perm = group_csr(index, ptr, dim_size, x.size(0))
    return softmax_rows(bounds, perm, _checked(x), True).view(x.shape)


def segment_logsumexp(
    x: Tensor, index: Tensor | None = None, dim_size: int | None = None, ptr: Tensor | None = None
) -> Tensor:
    r"""Logarithm of the summed exponentials of each group: :math:`y_i = \log \sum_{j: \text{index}_j = i} \exp(x_j)`.

    Args:
        x: The rows.
        index: The group of each row, in any order.
        dim_size: The number of groups; read off ``ptr``, or off the largest index, by default.
        ptr: The boundaries of groups stored one after the other, in place of ``index``.

    Returns:
        The result; ``-inf`` for a group that is empty or holds ``-inf`` alone, which gets no gradient.

    Shapes:
        - **x:** ``(num_rows, *)``
        - **output:** ``(dim_size, *)``

    Raises:
        ValueError: ``x`` holds integers, or ``index`` or ``ptr`` is malformed.
    """
    bounds, perm = group_csr(index, ptr, dim_size, x.size(0))
    return logsumexp_rows(bounds, perm, _checked(x)).view(bounds.numel() - 1, *x.shape[1:])


def softmax_rows(ptr: Tensor, perm: Tensor | None, rows: Tensor, log: bool) -> Tensor:
    """:func:`segment_softmax` of a matrix, for groups that are checked and sorted already.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order; ``None`` for the same order.
        rows: The rows.
        log: Whether to take the logarithm.
    """
    return segment_softmax_op(ptr, perm, rows, log)


def logsumexp_rows(ptr: Tensor, perm: Tensor | None, rows: Tensor) -> Tensor:
    """:func:`segment_logsumexp` of a matrix, for groups that are checked and sorted already.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order; ``None`` for the same order.
        rows: The rows.
    """
    return segment_logsumexp_op(ptr, perm, rows)


def segment_softmax_ref(ptr: Tensor, perm: Tensor | None, x: Tensor, log: bool) -> Tensor:
    """The specification of the raw op behind :func:`segment_softmax` and :func:`segment_log_softmax`.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        x: The rows.
        log: Whether to take the logarithm.
    """
    wide, group = widened(x), _group(ptr, perm, x.size(0))
    above = wide - _maximum(ptr, group, wide).index_select(0, group)
    total = wide.new_zeros(ptr.numel() - 1, x.size(1)).index_add(0, group, above.exp()).index_select(0, group)
    return (above - total.log() if log else above.exp() / total).to(x.dtype)


def segment_softmax_backward_ref(ptr: Tensor, perm: Tensor | None, y: Tensor, grad: Tensor, log: bool) -> Tensor:
    """The specification of the gradients of softmax and log-softmax.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        y: The results of the forward pass.
        grad: The gradients of the results.
        log: Whether the results are logarithms.
    """
    wide, g, group = widened(y), widened(grad), _group(ptr, perm, y.size(0))
    zero = wide.new_zeros(ptr.numel() - 1, y.size(1))
    if log:
        return (g - wide.exp() * zero.index_add(0, group, g).index_select(0, group)).to(y.dtype)
    return (wide * (g - zero.index_add(0, group, g * wide).index_select(0, group))).to(y.dtype)


def segment_logsumexp_ref(ptr: Tensor, perm: Tensor | None, x: Tensor) -> Tensor:
    """The specification of the raw op behind :func:`segment_logsumexp`.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        x: The rows.
    """
    wide, group = widened(x), _group(ptr, perm, x.size(0))
    top = _maximum(ptr, group, wide)
    shift = torch.where(top.isinf(), 0, top)
    return (torch.zeros_like(top).index_add(0, group, (wide - shift[group]).exp()).log() + shift).to(x.dtype)


def segment_logsumexp_backward_ref(ptr: Tensor, perm: Tensor | None, x: Tensor, lse: Tensor, grad: Tensor) -> Tensor:
    """The specification of the gradient of the logarithm of summed exponentials.

    Args:
        ptr: The boundaries of the groups.
        perm: The row at each position of the group order.
        x: The rows.
        lse: The results of the forward pass.
        grad: The gradients of the results.
    """
    group = _group(ptr, perm, x.size(0))
    level = widened(lse).index_select(0, group)
    share = torch.where(level == -torch.inf, 0, (widened(x) - level).exp())
    return torch.where(level == -torch.inf, 0, share * widened(grad).index_select(0, group)).to(x.dtype)


def _checked(x: Tensor) -> Tensor:
    if not x.is_floating_point():
        raise ValueError(f"'x' must be of a floating point type, got {x.dtype}; use 'x.float()'")
    return as_rows(x)


def _group(ptr: Tensor, perm: Tensor | None, length: int) -> Tensor:
    group = rows_of(ptr, length)
    return group if perm is None else torch.empty_like(group).index_copy(0, perm.long(), group)


def _maximum(ptr: Tensor, group: Tensor, x: Tensor) -> Tensor:
    spread = group.unsqueeze(1).expand_as(x)
    return x.new_full((ptr.numel() - 1, x.size(1)), -torch.inf).scatter_reduce(0, spread, x, "amax")


def _sum(ptr: Tensor, perm: Tensor | None, x: Tensor) -> Tensor:
    return reduce_rows(ptr, perm, x, "sum")[0]


def _softmax_setup(ctx, inputs, output) -> None:
    ptr, perm, _, ctx.log = inputs
    ctx.save_for_backward(ptr, perm, output)


def _softmax_backward(ctx, grad: Tensor) -> tuple:
    ptr, perm, y = ctx.saved_tensors
    return None, None, segment_softmax_backward_op(ptr, perm, y, grad, ctx.log), None


def _softmax_backward_setup(ctx, inputs, output) -> None:
    ptr, perm, y, grad, ctx.log = inputs
    ctx.save_for_backward(ptr, perm, y, grad)


def _softmax_backward_backward(ctx, h: Tensor) -> tuple:
    ptr, perm, y, grad = ctx.saved_tensors

    def total(value: Tensor) -> Tensor:
        return spread_rows(ptr, perm, _sum(ptr, perm, value), y.size(0))

    if ctx.log:
        p = y.exp()
        of_y, of_grad = -h * p * total(grad), h - total(h * p)
    else:
        of_y = h * (grad - total(grad * y)) - grad * total(h * y)
        of_grad = segment_softmax_backward_op(ptr, perm, y, h, False)
    return None, None, of_y, of_grad, None


def _logsumexp_setup(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs, output)


def _logsumexp_backward(ctx, grad: Tensor) -> tuple:
    ptr, perm, x, lse = ctx.saved_tensors
    return None, None, segment_logsumexp_backward_op(ptr, perm, x, lse, grad)


def _logsumexp_backward_setup(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _logsumexp_backward_backward(ctx, h: Tensor) -> tuple:
    ptr, perm, x, lse, grad = ctx.saved_tensors
    # Groups that hold nothing finite have no share to give.
    level = torch.where(lse == -torch.inf, torch.inf, lse)
    share = h * (x - spread_rows(ptr, perm, level, x.size(0))).exp()
    of_x = share * spread_rows(ptr, perm, grad, x.size(0))
    return None, None, of_x, -_sum(ptr, perm, of_x), _sum(ptr, perm, share)


segment_softmax_op = Op(
    "segment_softmax",
    "(Tensor ptr, Tensor? perm, Tensor x, bool log) -> Tensor",
    values=2,
    reference=segment_softmax_ref,
    fake=lambda ptr, perm, x, log: x.new_empty(x.shape),
    setup=_softmax_setup,
    backward=_softmax_backward,
    vmap="columns",
)

segment_softmax_backward_op = Op(
    "segment_softmax_backward",
    "(Tensor ptr, Tensor? perm, Tensor y, Tensor grad, bool log) -> Tensor",
    values=2,
    reference=segment_softmax_backward_ref,
    fake=lambda ptr, perm, y, grad, log: y.new_empty(y.shape),
    setup=_softmax_backward_setup,
    backward=_softmax_backward_backward,
)

segment_logsumexp_op = Op(
    "segment_logsumexp",
    "(Tensor ptr, Tensor? perm, Tensor x) -> Tensor",
    values=2,
    reference=segment_logsumexp_ref,
    fake=lambda ptr, perm, x: x.new_empty(ptr.size(0) - 1, x.size(1)),
    setup=_logsumexp_setup,
    backward=_logsumexp_backward,
    vmap="columns",
)

segment_logsumexp_backward_op = Op(
    "segment_logsumexp_backward",
    "(Tensor ptr, Tensor? perm, Tensor x, Tensor lse, Tensor grad) -> Tensor",
    values=2,
    reference=segment_logsumexp_backward_ref,
    fake=lambda ptr, perm, x, lse, grad: x.new_empty(x.shape),
    setup=_logsumexp_backward_setup,
    backward=_logsumexp_backward_backward,
)
