"""Several reductions of the same neighbours in one pass."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from graphlab.ops.csr import csr_transpose, rows_of
from graphlab.ops.gather_reduce import arg_scatter_ref, check_sources, gather_reduce, gather_reduce_ref
from graphlab.ops.graph import Graph
from graphlab.ops.op import Op
from graphlab.ops.precision import wide_dtype

AGGREGATES = ("sum", "mean", "var", "std", "min", "max")

#: A deviation of this or less counts as none, as in PyG: its slope would grow without bound.
LEAST_STD = math.sqrt(1e-5)


def multi_reduce(
    x: Tensor,
    edge_index: Any,
    reduces: Sequence[str] = ("sum", "mean", "std", "min", "max"),
    dim_size: int | None = None,
) -> Tensor:
    r"""Reduce the rows of each node's sources in several ways at once, reading them once.

    .. math::
        \mu_i = \frac{1}{n_i} \sum_{j \to i} x_j, \qquad
        \sigma_i^2 = \frac{1}{n_i} \sum_{j \to i} (x_j - \mu_i)^2, \qquad
        \frac{\partial \mathcal{L}}{\partial x_j} = \sum_{j \to i} (a_i + c_i x_j) + \text{the choices of min and max}

    The aggregates of Corso et al., "Principal Neighbourhood Aggregation for Graph Nets", 2020, arXiv 2004.05718, with
    PyG's values: ``multi_reduce(x, edge_index, names).flatten(1)`` is its ``MultiAggregation(names)``. A node without
    edges gets zero. Of equal minima or maxima the first edge in the user's order gets all of the gradient. A deviation
    of :math:`\sqrt{10^{-5}}` or less is zero, and has no gradient.

    The variance is that of deviations from a value amid them, so that large values do not cancel. Memory is
    :math:`O(N d)`: the backward pass is one pass over the transposed edges, with :math:`a` and :math:`c` of each
    target, and one over the choices. Same bits for any number of threads; derivatives of any order.

    Args:
        x: The rows of the source nodes.
        edge_index: A :class:`graphlab.ops.Graph`, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        reduces: Some of ``"sum"``, ``"mean"``, ``"var"``, ``"std"``, ``"min"`` and ``"max"``, each once, in any order.
        dim_size: The number of target nodes. By default what ``edge_index`` says, if it is more than a tensor, or else
            as many as sources.

    Returns:
        The aggregates side by side, in the order of ``reduces``.

    Shapes:
        - **x:** ``(num_sources, *)``
        - **output:** ``(num_targets, len(reduces), *)``

    Raises:
        ValueError: ``reduces`` names none, an unknown aggregate or one twice, or a shape does not fit.

    Example:
        >>> import torch
        >>> x = torch.tensor([[1.0], [2.0], [4.0]])
        >>> multi_reduce(x, torch.tensor([[0, 1, 2], [2, 2, 0]]), ("mean", "max")).flatten(1).tolist()
        [[4.0, 4.0], [0.0, 0.0], [1.5, 2.0]]
    """
    reduces = _checked(reduces)
    graph = Graph.from_edge_index(edge_index, (x.size(0) if x.dim() else None, dim_size))
    check_sources(x, graph)
    rows = x.reshape(x.size(0), math.prod(x.shape[1:]))
    # Choices are given back along the edges as they stand; all else needs them by source.
    wanted = torch.is_grad_enabled() and x.requires_grad and _has_sums(reduces)
    colptr, row, _ = graph.transposed if wanted else (None, None, None)
    out = _multi_reduce(graph.rowptr, graph.col, colptr, row, rows, ",".join(reduces))[0]
    return out.view(graph.num_targets, len(reduces), *x.shape[1:])


def _checked(reduces: Sequence[str]) -> tuple[str, ...]:
    names = (reduces,) if isinstance(reduces, str) else tuple(reduces)
    unknown = [name for name in names if name not in AGGREGATES]
    if unknown or not names or len(set(names)) < len(names):
        known = ", ".join(map(repr, AGGREGATES))
        raise ValueError(f"'reduces' must hold one or more of {known}, each once, got {reduces!r}")
    return names


def _has_sums(reduces: Sequence[str]) -> bool:
    return any(name not in ("min", "max") for name in reduces)


def _is_curved(reduces: Sequence[str]) -> bool:
    return "var" in reduces or "std" in reduces


def _mean_type(x: Tensor) -> torch.dtype:
    return torch.float32 if x.dtype == torch.bfloat16 else x.dtype


def multi_reduce_ref(
    rowptr: Tensor, col: Tensor, colptr: Tensor | None, row: Tensor | None, x: Tensor, reduces: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The specification of the raw op behind :func:`multi_reduce`: gather all messages, scatter them again and again.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        colptr: The boundaries of the source nodes' edges, for the backward pass; may be missing.
        row: The target of each edge by source.
        x: The rows of the sources.
        reduces: The names of the aggregates, with commas between.

    Returns:
        The aggregates side by side, and what the backward pass needs: the mean, and the choices of minimum and maximum;
        each empty where nothing asks for it.
    """
    names = reduces.split(",")
    wide = x.to(wide_dtype(x))
    made: dict[str, Tensor] = {}
    choice = {name: rowptr.new_empty(0, dtype=torch.int32) for name in ("min", "max")}
    for name in {*names, "mean"} - {"var", "std"}:
        made[name], arg = gather_reduce_ref(rowptr, col, None, None, None, None, None, wide, name)
        if name in choice:
            choice[name] = arg
    mean = made["mean"]
    if _is_curved(names):
        target = rows_of(rowptr)
        away = wide.index_select(0, col) - mean[target]
        first, second = (
            torch.zeros_like(mean).index_add(0, target, d) / _degree(rowptr).to(mean) for d in (away, away**2)
        )
        # The mean is rounded: what deviations from it are off by on average is no part of their variance.
        made["var"] = (second - first.square()).clamp(min=0)
        made["std"] = made["var"].clamp(min=LEAST_STD**2).sqrt()
        made["std"] = made["std"].masked_fill(made["std"] <= LEAST_STD, 0)
    out = torch.stack([made[name] for name in names], 1).to(x.dtype)
    saved = mean if _is_curved(names) else mean.new_empty(0)
    return out, saved.to(_mean_type(x)), choice["min"], choice["max"]


def multi_reduce_backward_ref(
    rowptr: Tensor,
    col: Tensor,
    colptr: Tensor | None,
    row: Tensor | None,
    grad: Tensor,
    x: Tensor,
    out: Tensor,
    mean: Tensor,
    argmin: Tensor,
    argmax: Tensor,
    reduces: str,
) -> Tensor:
    """The specification of the gradient of :func:`multi_reduce_ref`.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        colptr: The boundaries of the source nodes' edges; the reference does without.
        row: The target of each edge by source; likewise.
        grad: The gradient of the aggregates.
        x: The rows of the sources.
        out: The aggregates.
        mean: The means.
        argmin: The choices of the minimum.
        argmax: The choices of the maximum.
        reduces: The names of the aggregates, with commas between.
    """
    names = reduces.split(",")
    wide, degree = x.to(wide_dtype(x)), _degree(rowptr)
    given = {name: g.to(wide) for name, g in zip(names, grad.unbind(1), strict=True)}
    zero = wide.new_zeros(degree.size(0), x.size(1))
    a = given.get("sum", zero) + given.get("mean", zero) / degree.to(zero)
    c = 2 * given.get("var", zero)
    if "std" in names:
        std = out[:, names.index("std")].to(wide)
        c = c + torch.where(std == 0, 0, given["std"] / std)
    grad_x = torch.zeros_like(wide)
    if _has_sums(names):
        target = rows_of(rowptr)
        along = a[target]
        if _is_curved(names):
            along = along + (c / degree.to(c))[target] * (wide.index_select(0, col) - mean[target])
        grad_x = grad_x.index_add(0, col, along)
    for name, arg in (("min", argmin), ("max", argmax)):
        if name in names:
            grad_x = grad_x + arg_scatter_ref(rowptr, col, None, None, given[name], wide, arg)[0]
    return grad_x.to(x.dtype)


def _degree(rowptr: Tensor) -> Tensor:
    return (rowptr[1:] - rowptr[:-1]).clamp(min=1).unsqueeze(1)


def _fake(rowptr, col, colptr, row, x, reduces):
    names = reduces.split(",")
    shape = (rowptr.size(0) - 1, x.size(1))
    mean = x.new_empty(shape if _is_curved(names) else (0,), dtype=_mean_type(x))
    choices = [rowptr.new_empty(shape if name in names else (0,), dtype=torch.int32) for name in ("min", "max")]
    return x.new_empty(shape[0], len(names), shape[1]), mean, *choices


def _setup(ctx, inputs, output) -> None:
    *tensors, ctx.reduces = inputs
    # The mean stays differentiable: second derivatives go through it.
    ctx.mark_non_differentiable(*output[2:])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors, *output)


def _backward(ctx, grad: Tensor | None, of_mean: Tensor | None, *others: Tensor | None) -> tuple:
    rowptr, col, colptr, row, x, *output = ctx.saved_tensors
    grad_x = None
    if grad is not None:
        if colptr is None and _has_sums(ctx.reduces.split(",")):
            colptr, row, _ = csr_transpose(rowptr, col, None, x.size(0))
        grad_x = _multi_reduce_backward(rowptr, col, colptr, row, grad, x, *output, ctx.reduces)
    if of_mean is not None and of_mean.dim() == 2:
        back = Graph(rowptr, col, None, x.size(0)).reverse()
        more = gather_reduce(of_mean / _degree(rowptr).to(of_mean), back).to(x.dtype)
        grad_x = more if grad_x is None else grad_x + more
    return None, None, None, None, grad_x, None


def _backward_setup(ctx, inputs, output) -> None:
    *tensors, ctx.reduces = inputs
    ctx.save_for_backward(*tensors)


def _backward_backward(ctx, v: Tensor) -> tuple:
    r"""Differentiate along ``v``, with mean and deviation as inputs of their own.

    With :math:`c_i = (2 g^{var}_i + g^{std}_i / \sigma_i) / n_i` the gradient is :math:`\sum_i c_i (x_j - \mu_i)` and
    what does not depend on ``x``; :math:`\kappa_i = \sum_j (x_j - \mu_i) v_j / n_i` is the covariance.
    """
    rowptr, col, _, _, grad, x, out, mean, argmin, argmax = ctx.saved_tensors
    names = ctx.reduces.split(",")
    graph = Graph(rowptr, col, None, x.size(0))
    made = {name: gather_reduce(v, graph, reduce=name) for name in ("sum", "mean") if name in names}
    for name, arg in (("min", argmin), ("max", argmax)):
        if name in names:
            made[name] = _at_choice(rowptr, col, v, arg)
    of_x = of_out = of_mean = None
    if _is_curved(names):
        centre, average = mean.to(x.dtype), gather_reduce(v, graph, reduce="mean")
        covariance = gather_reduce(x * v, graph, reduce="mean") - centre * average
        c = torch.zeros_like(covariance)
        if "var" in names:
            c = c + 2 * grad[:, names.index("var")]
            made["var"] = 2 * covariance
        if "std" in names:
            at = names.index("std")
            std = out[:, at]
            inverse = torch.where(std == 0, 0, 1 / torch.where(std == 0, 1, std))
            c = c + grad[:, at] * inverse
            made["std"] = covariance * inverse
            of_std = -grad[:, at] * inverse * made["std"]
            of_out = torch.stack([of_std if k == at else torch.zeros_like(of_std) for k in range(len(names))], 1)
        of_x = v * gather_reduce(c / _degree(rowptr).to(c), graph.reverse())
        of_mean = (-c * average).to(mean.dtype)
    along = torch.stack([made[name] for name in names], 1)
    return None, None, None, None, along, of_x, of_out, of_mean, None, None, None


def _at_choice(rowptr: Tensor, col: Tensor, v: Tensor, arg: Tensor) -> Tensor:
    if not col.numel():
        return v.new_zeros(arg.shape)
    edge = rowptr[:-1].long().unsqueeze(1) + arg
    return torch.where(arg >= 0, v.gather(0, col.long()[edge.clamp(min=0)]), 0)


def _fold(t: Tensor, at: int | None, size: int) -> Tensor:
    """Bring a batch beside the columns, and make one of the two; what is empty has none."""
    if at is None and t.dim() == 1:
        return t
    t = t.unsqueeze(-2).expand(*t.shape[:-1], size, t.size(-1)) if at is None else t.movedim(at, -2)
    return t.reshape(*t.shape[:-2], t.size(-2) * t.size(-1))


def _vmap(info: Any, in_dims: tuple, *args: Any) -> tuple:
    """Batch the rows alone: a batch of them becomes more columns."""
    if any(d is not None for d in in_dims[:4]):
        return _multi_reduce._by_loop(info, in_dims, *args)
    x = _fold(args[4], in_dims[4], info.batch_size)
    made = _multi_reduce(*args[:4], x, args[5])
    split = tuple(t if t.dim() == 1 else t.unflatten(-1, (info.batch_size, -1)) for t in made)
    return split, tuple(None if t.dim() == 1 else t.dim() - 2 for t in split)


def _backward_vmap(info: Any, in_dims: tuple, *args: Any) -> tuple:
    if any(d is not None for d in in_dims[:4]):
        return _multi_reduce_backward._by_loop(info, in_dims, *args)
    tensors = [_fold(t, d, info.batch_size) for t, d in zip(args[4:10], in_dims[4:10], strict=True)]
    out = _multi_reduce_backward(*args[:4], *tensors, args[10])
    return out.unflatten(-1, (info.batch_size, -1)), 1


_multi_reduce = Op(
    "multi_reduce",
    "(Tensor rowptr, Tensor col, Tensor? colptr, Tensor? row, Tensor x, str reduces) "
    "-> (Tensor, Tensor, Tensor, Tensor)",
    values=4,
    reference=multi_reduce_ref,
    fake=_fake,
    setup=_setup,
    backward=_backward,
    vmap=_vmap,
)

_multi_reduce_backward = Op(
    "multi_reduce_backward",
    "(Tensor rowptr, Tensor col, Tensor? colptr, Tensor? row, Tensor grad, Tensor x, Tensor out, Tensor mean, "
    "Tensor argmin, Tensor argmax, str reduces) -> Tensor",
    values=5,
    reference=multi_reduce_backward_ref,
    fake=lambda rowptr, col, colptr, row, grad, x, out, mean, argmin, argmax, reduces: torch.empty_like(x),
    setup=_backward_setup,
    backward=_backward_backward,
    vmap=_backward_vmap,
)
