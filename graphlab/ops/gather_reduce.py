"""Gather, weigh and reduce in one pass: message passing without messages."""

import math
from typing import Any

import torch
from torch import Tensor

from graphlab.ops.csr import csr_transpose, rows_of
from graphlab.ops.graph import Graph
from graphlab.ops.op import Op
from graphlab.ops.precision import widened

REDUCES = ("sum", "mean", "min", "max")


def gather_reduce(
    x: Tensor,
    edge_index: Any,
    edge_weight: Tensor | None = None,
    reduce: str = "sum",
    dim_size: int | None = None,
) -> Tensor:
    r"""Reduce the weighted rows of each node's sources, without making a message.

    .. math::
        y_i = \bigoplus_{e = (j \to i)} w_e \, x_j, \qquad
        \bigoplus \in \{\text{sum}, \text{mean}, \text{min}, \text{max}\}

    Reads each neighbour's row once and writes each result once, in :math:`O(N d)` memory; the backward pass gives the
    gradients of ``x`` and ``edge_weight`` in one pass over the transposed edges. A node without edges gets zero. Of
    equal minima or maxima the first edge in the user's order is chosen, and gets all of the gradient. Same bits for
    any number of threads; derivatives of any order.

    Args:
        x: The rows of the source nodes.
        edge_index: A :class:`graphlab.ops.Graph`, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One weight per edge, in the order of ``edge_index``; ``None`` for 1.
        reduce: ``"sum"``, ``"mean"``, ``"min"`` or ``"max"``.
        dim_size: The number of target nodes. By default what ``edge_index`` says, if it is more than a tensor, or else
            as many as sources.

    Shapes:
        - **x:** ``(num_sources, *)``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_targets, *)``

    Raises:
        ValueError: ``reduce`` is unknown, or a shape does not fit.

    Example:
        >>> import torch
        >>> x = torch.tensor([[1.0], [2.0], [4.0]])
        >>> gather_reduce(x, torch.tensor([[0, 1, 2], [2, 2, 0]]), reduce="max").flatten().tolist()
        [4.0, 0.0, 2.0]
    """
    return gather_argreduce(x, edge_index, edge_weight, reduce, dim_size)[0]


def gather_argreduce(
    x: Tensor,
    edge_index: Any,
    edge_weight: Tensor | None = None,
    reduce: str = "max",
    dim_size: int | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`gather_reduce` together with the choice of a minimum or maximum.

    Args:
        x: The rows of the source nodes.
        edge_index: A :class:`graphlab.ops.Graph`, or what it can be made from.
        edge_weight: One weight per edge.
        reduce: ``"min"`` or ``"max"``; for ``"sum"`` and ``"mean"`` the choice is empty.
        dim_size: The number of target nodes.

    Returns:
        The result, and for each of its values the position, among the edges into its node, of the chosen edge; -1
        where there is none.

    Shapes:
        - **x:** ``(num_sources, *)``
        - **output:** ``(num_targets, *)`` twice, the second as int32

    Raises:
        ValueError: ``reduce`` is unknown, or a shape does not fit.
    """
    if reduce not in REDUCES:
        raise ValueError(f"'reduce' must be one of {', '.join(map(repr, REDUCES))}, got {reduce!r}")
    graph = Graph.from_edge_index(edge_index, (x.size(0) if x.dim() else None, dim_size))
    check_sources(x, graph)
    rows = x.reshape(x.size(0), math.prod(x.shape[1:]))
    weight = None if edge_weight is None else _checked_weight(edge_weight, graph, x.dtype)
    # A backward pass needs the edges by source; without one they are never sorted that way.
    differentiates = torch.is_grad_enabled() and (x.requires_grad or (weight is not None and weight.requires_grad))
    by_source = graph.transposed if differentiates else (None, None, None)
    out, arg = _gather_reduce(graph.rowptr, graph.col, graph.perm, *by_source, weight, rows, reduce)
    shape = (graph.num_targets, *x.shape[1:])
    return out.view(shape), arg.view(shape) if arg.dim() == 2 else arg


def check_sources(x: Tensor, graph: Graph) -> None:
    """Refuse rows that are not those of the graph's sources.

    Args:
        x: The rows of the source nodes.
        graph: The edges.

    Raises:
        ValueError: There are more or fewer rows than sources.
    """
    if x.dim() < 2 or x.size(0) != graph.num_sources:
        raise ValueError(
            f"'x' must hold one row for each of the {graph.num_sources} source nodes, got shape {tuple(x.shape)}; "
            f"one feature per node is (num_nodes, 1)"
        )


def _checked_weight(weight: Tensor, graph: Graph, dtype: torch.dtype) -> Tensor:
    if weight.shape not in ((graph.num_edges,), (graph.num_edges, 1)):
        raise ValueError(
            f"'edge_weight' must hold one number for each of the {graph.num_edges} edges, "
            f"got shape {tuple(weight.shape)}"
        )
    return weight.reshape(-1).to(dtype)


def gather_reduce_ref(
    rowptr: Tensor,
    col: Tensor,
    perm: Tensor | None,
    colptr: Tensor | None,
    row: Tensor | None,
    perm_t: Tensor | None,
    weight: Tensor | None,
    x: Tensor,
    reduce: str,
) -> tuple[Tensor, Tensor]:
    """The specification of the raw op behind :func:`gather_reduce`: gather all messages, then scatter.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        perm: The place of each edge's weight.
        colptr: The boundaries of the source nodes' edges, for the backward pass; may be missing.
        row: The target of each edge by source.
        perm_t: The place of the weight of each edge by source.
        weight: The weights.
        x: The rows of the sources.
        reduce: ``"sum"``, ``"mean"``, ``"min"`` or ``"max"``.
    """
    target, count = _targets(rowptr)
    message = _messages(col, perm, weight, x)
    wide = widened(message)
    out = wide.new_zeros(count.numel(), x.size(1))
    arg = rowptr.new_empty(0, dtype=torch.int32)
    if reduce in ("sum", "mean"):
        out = out.index_add(0, target, wide)
        if reduce == "mean":
            out = out / count.clamp(min=1).unsqueeze(1).to(out)
        return out.to(x.dtype), arg
    spread = target.unsqueeze(1).expand_as(wide)
    out = out.scatter_reduce(0, spread, wide, "amax" if reduce == "max" else "amin", include_self=False)
    local = torch.arange(target.numel(), device=x.device) - rowptr.long()[target]
    nobody = col.numel()
    wins = (wide == out[target]) | (wide.isnan() & out[target].isnan())
    places = torch.where(wins, local.unsqueeze(1), nobody)
    chosen = places.new_full(out.shape, nobody).scatter_reduce(0, spread, places, "amin")
    return out.to(x.dtype), torch.where(chosen == nobody, -1, chosen).to(torch.int32)


def _gather_reduce_fake(rowptr, col, perm, colptr, row, perm_t, weight, x, reduce):
    shape = (rowptr.size(0) - 1, x.size(1))
    return x.new_empty(shape), rowptr.new_empty(shape if reduce in ("min", "max") else (0,), dtype=torch.int32)


def gather_reduce_backward_ref(
    rowptr: Tensor,
    colptr: Tensor,
    row: Tensor,
    perm_t: Tensor | None,
    weight: Tensor | None,
    grad: Tensor,
    x: Tensor,
    mean: bool,
) -> tuple[Tensor, Tensor]:
    """The specification of the gradients of a sum or a mean.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        colptr: The boundaries of the source nodes' edges.
        row: The target of each edge by source.
        perm_t: The place of the weight of each edge by source.
        weight: The weights.
        grad: The gradient of the result.
        x: The rows of the sources.
        mean: Whether the result is a mean.
    """
    source, _ = _targets(colptr)
    grad = widened(grad)
    if mean:
        grad = grad / (rowptr[1:] - rowptr[:-1]).clamp(min=1).unsqueeze(1).to(grad)
    grad_x = grad.new_zeros(x.shape).index_add(0, source, _messages(row, perm_t, weight, grad))
    if weight is None:
        return grad_x.to(x.dtype), x.new_empty(0)
    products = (grad[row.long()] * x[source]).sum(1)
    grad_weight = products if perm_t is None else products.new_zeros(row.numel()).index_copy(0, perm_t.long(), products)
    return grad_x.to(x.dtype), grad_weight.to(x.dtype)


def arg_gather_ref(
    rowptr: Tensor, col: Tensor, perm: Tensor | None, weight: Tensor | None, x: Tensor, arg: Tensor
) -> Tensor:
    """The specification of reading each row's chosen edges.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        perm: The place of each edge's weight.
        weight: The weights.
        x: The rows of the sources.
        arg: The chosen edge of each value, counted inside its row; -1 for none.
    """
    edge, chosen = _chosen(rowptr, arg)
    if not col.numel():
        return x.new_zeros(arg.shape)
    out = x.gather(0, col.long()[edge])
    if weight is not None:
        out = out * _placed(weight, perm)[edge]
    return torch.where(chosen, out, 0)


def arg_scatter_ref(
    rowptr: Tensor,
    col: Tensor,
    perm: Tensor | None,
    weight: Tensor | None,
    grad: Tensor,
    x: Tensor,
    arg: Tensor,
) -> tuple[Tensor, Tensor]:
    """The specification of the gradients of a minimum or maximum.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        perm: The place of each edge's weight.
        weight: The weights.
        grad: The gradient of the result.
        x: The rows of the sources.
        arg: The chosen edge of each value, counted inside its row; -1 for none.
    """
    edge, chosen = _chosen(rowptr, arg)
    if not col.numel():
        return torch.zeros_like(x), x.new_zeros(0)
    grad = torch.where(chosen, widened(grad), 0)
    of_x = grad if weight is None else grad * _placed(weight, perm)[edge]
    grad_x = grad.new_zeros(x.shape).scatter_add(0, col.long()[edge], of_x)
    if weight is None:
        return grad_x.to(x.dtype), x.new_empty(0)
    place = edge if perm is None else perm.long()[edge]
    products = grad * x.gather(0, col.long()[edge])
    grad_weight = grad.new_zeros(col.numel()).index_add(0, place.reshape(-1), products.reshape(-1))
    return grad_x.to(x.dtype), grad_weight.to(x.dtype)


def _targets(rowptr: Tensor) -> tuple[Tensor, Tensor]:
    count = (rowptr[1:] - rowptr[:-1]).long()
    return rows_of(rowptr), count


def _placed(weight: Tensor, perm: Tensor | None) -> Tensor:
    return weight if perm is None else weight[perm.long()]


def _messages(col: Tensor, perm: Tensor | None, weight: Tensor | None, x: Tensor) -> Tensor:
    # Products in low precision are kept in full precision until they are added up.
    message = x.index_select(0, col) if weight is None else widened(x).index_select(0, col)
    return message if weight is None else message * widened(_placed(weight, perm)).unsqueeze(1)


def _chosen(rowptr: Tensor, arg: Tensor) -> tuple[Tensor, Tensor]:
    chosen = arg >= 0
    return torch.where(chosen, rowptr[:-1].long().unsqueeze(1) + arg, 0), chosen


def _sizes_fake(weight, x):
    return torch.empty_like(x), x.new_empty(0 if weight is None else weight.size(0))


def _setup(ctx, inputs, output) -> None:
    rowptr, col, perm, colptr, row, perm_t, weight, x, ctx.reduce = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(rowptr, col, perm, colptr, row, perm_t, weight, x, output[1])


def _backward(ctx, grad: Tensor | None, _: Tensor | None) -> tuple:
    rowptr, col, perm, colptr, row, perm_t, weight, x, arg = ctx.saved_tensors
    if grad is None:
        return (None,) * 9
    if ctx.reduce in ("min", "max"):
        grad_x, grad_weight = _arg_scatter(rowptr, col, perm, weight, grad, x, arg)
    else:
        if colptr is None:
            colptr, row, perm_t = csr_transpose(rowptr, col, perm, x.size(0))
        if weight is None or ctx.needs_input_grad[6]:
            mean = ctx.reduce == "mean"
            grad_x, grad_weight = _gather_reduce_backward(rowptr, colptr, row, perm_t, weight, grad, x, mean)
        else:
            if ctx.reduce == "mean":
                grad = grad / (rowptr[1:] - rowptr[:-1]).clamp(min=1).unsqueeze(1).to(grad)
            grad_x, _ = _gather_reduce(colptr, row, perm_t, rowptr, col, perm, weight, grad, "sum")
            grad_weight = None
    return None, None, None, None, None, None, None if weight is None else grad_weight, grad_x, None


def _backward_setup(ctx, inputs, output) -> None:
    *tensors, ctx.mean = inputs
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors)


def _backward_backward(ctx, of_x: Tensor | None, of_weight: Tensor | None) -> tuple:
    """Differentiate ``grad_x = A_w^T s g``, ``grad_w = <s g, x>``: the same two ops, with other arguments."""
    rowptr, colptr, row, perm_t, weight, grad, x = ctx.saved_tensors
    if of_x is None and (of_weight is None or weight is None):
        return (None,) * 8
    by_target = csr_transpose(colptr, row, perm_t, grad.size(0))
    by_source = (colptr, row, perm_t)
    reduce = "mean" if ctx.mean else "sum"
    grad_grad = grad_weight = grad_x = None
    if of_x is not None:
        grad_grad = _gather_reduce(*by_target, *by_source, weight, of_x, reduce)[0]
    if of_weight is not None and weight is not None:
        more = _gather_reduce(*by_target, *by_source, of_weight, x, reduce)[0]
        grad_grad = more if grad_grad is None else grad_grad + more
    if weight is not None:
        zeros_w = torch.zeros_like(weight) if of_weight is None else of_weight
        zeros_x = torch.zeros_like(x) if of_x is None else of_x
        grad_x, grad_weight = _gather_reduce_backward(rowptr, *by_source, zeros_w, grad, zeros_x, ctx.mean)
    return None, None, None, None, grad_weight, grad_grad, grad_x, None


def _arg_gather_setup(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _arg_gather_backward(ctx, grad: Tensor) -> tuple:
    rowptr, col, perm, weight, x, arg = ctx.saved_tensors
    grad_x, grad_weight = _arg_scatter(rowptr, col, perm, weight, grad, x, arg)
    return None, None, None, None if weight is None else grad_weight, grad_x, None


def _arg_scatter_setup(ctx, inputs, output) -> None:
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs)


def _arg_scatter_backward(ctx, of_x: Tensor | None, of_weight: Tensor | None) -> tuple:
    rowptr, col, perm, weight, grad, x, arg = ctx.saved_tensors
    if of_x is None and (of_weight is None or weight is None):
        return (None,) * 7
    grad_grad = grad_weight = grad_x = None
    if of_x is not None:
        grad_grad = _arg_gather(rowptr, col, perm, weight, of_x, arg)
    if of_weight is not None and weight is not None:
        more = _arg_gather(rowptr, col, perm, of_weight, x, arg)
        grad_grad = more if grad_grad is None else grad_grad + more
    if weight is not None:
        zeros_w = torch.zeros_like(weight) if of_weight is None else of_weight
        zeros_x = torch.zeros_like(x) if of_x is None else of_x
        grad_x, grad_weight = _arg_scatter(rowptr, col, perm, zeros_w, grad, zeros_x, arg)
    return None, None, None, grad_weight, grad_grad, grad_x, None


_gather_reduce = Op(
    "gather_reduce",
    "(Tensor rowptr, Tensor col, Tensor? perm, Tensor? colptr, Tensor? row, Tensor? perm_t, Tensor? weight, Tensor x, "
    "str reduce) -> (Tensor, Tensor)",
    values=7,
    reference=gather_reduce_ref,
    fake=_gather_reduce_fake,
    setup=_setup,
    backward=_backward,
    vmap="columns",
)

_gather_reduce_backward = Op(
    "gather_reduce_backward",
    "(Tensor rowptr, Tensor colptr, Tensor row, Tensor? perm_t, Tensor? weight, Tensor grad, Tensor x, bool mean) "
    "-> (Tensor, Tensor)",
    values=6,
    reference=gather_reduce_backward_ref,
    fake=lambda rowptr, colptr, row, perm_t, weight, grad, x, mean: _sizes_fake(weight, x),
    setup=_backward_setup,
    backward=_backward_backward,
)

_arg_gather = Op(
    "arg_gather",
    "(Tensor rowptr, Tensor col, Tensor? perm, Tensor? weight, Tensor x, Tensor arg) -> Tensor",
    values=4,
    reference=arg_gather_ref,
    fake=lambda rowptr, col, perm, weight, x, arg: x.new_empty(arg.shape),
    setup=_arg_gather_setup,
    backward=_arg_gather_backward,
)

_arg_scatter = Op(
    "arg_scatter",
    "(Tensor rowptr, Tensor col, Tensor? perm, Tensor? weight, Tensor grad, Tensor x, Tensor arg) -> (Tensor, Tensor)",
    values=5,
    reference=arg_scatter_ref,
    fake=lambda rowptr, col, perm, weight, grad, x, arg: _sizes_fake(weight, x),
    setup=_arg_scatter_setup,
    backward=_arg_scatter_backward,
)
