"""Attention over each node's incoming edges in one pass: scores, softmax, dropout and weighted sum."""

from typing import Any

import torch
from torch import Tensor

from graphlab.ops.csr import csr_transpose
from graphlab.ops.double_backward import differentiate_again
from graphlab.ops.edge_attention_ref import (
    edge_attention_backward_ref,
    edge_attention_ref,
    edge_scores,
    edge_softmax,
)
from graphlab.ops.graph import Graph
from graphlab.ops.op import Op
from graphlab.ops.precision import wide_dtype

SCORES = ("gat", "gatv2", "dot")


def gat_attention(
    alpha_src: Tensor,
    alpha_dst: Tensor,
    value: Tensor,
    edge_index: Any,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: Tensor | None = None,
) -> Tensor:
    r"""Graph attention with additive scores, from `Graph Attention Networks <https://arxiv.org/abs/1710.10903>`_.

    .. math::
        y_{i,h} = \sum_{e = (j \to i)} m_{e,h} \, \text{softmax}_e(s_{e,h}) \, v_{j,h}, \qquad
        s_{e,h} = \text{LeakyReLU}(a_{j,h} + b_{i,h})

    The softmax goes over the edges into node :math:`i`; a node without edges gets zero. :math:`m` is dropout's mask.
    Nothing is kept per edge: the backward pass computes scores and mask again from one number per node and head, in
    one pass over the edges and one over the transposed edges. Same bits for any number of threads; derivatives of any
    order. Inputs of different precisions are promoted.

    Args:
        alpha_src: The source's part of the score, :math:`a`.
        alpha_dst: The target's part of the score, :math:`b`.
        value: The rows that are summed up, :math:`v`.
        edge_index: A :class:`graphlab.ops.Graph`, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        negative_slope: The slope of LeakyReLU below zero.
        dropout: The probability of dropping a weight after the softmax; those that stay are divided by
            ``1 - dropout``.
        seed: One int64 number from which the mask follows, together with an edge's place in ``edge_index`` and the
            head; drawn from torch's generator by default.

    Shapes:
        - **alpha_src:** ``(num_sources, heads)``
        - **alpha_dst:** ``(num_targets, heads)``
        - **value:** ``(num_sources, heads, channels)``
        - **output:** ``(num_targets, heads, channels)``

    Raises:
        ValueError: A shape does not fit, or ``dropout`` is not a probability.

    Example:
        >>> import torch
        >>> value = torch.tensor([[[1.0]], [[3.0]]])
        >>> edge_index = torch.tensor([[0, 1], [0, 0]])
        >>> gat_attention(torch.zeros(2, 1), torch.zeros(1, 1), value, edge_index).flatten().tolist()
        [2.0]
    """
    _check_dims({"alpha_src": alpha_src, "alpha_dst": alpha_dst}, 2, "(num_nodes, heads)")
    _check_dims({"value": value}, 3, "(num_sources, heads, channels)")
    graph = _graph(edge_index, alpha_src, alpha_dst)
    _check_shape("value", value, (alpha_src.size(0), alpha_src.size(1), value.size(2)))
    _check_shape("alpha_dst", alpha_dst, (alpha_dst.size(0), alpha_src.size(1)))
    source, target = alpha_src.unsqueeze(-1), alpha_dst.unsqueeze(-1)
    return _attend(graph, source, target, value, None, seed, "gat", negative_slope, dropout)


def gatv2_attention(
    x_src: Tensor,
    x_dst: Tensor,
    att: Tensor,
    edge_index: Any,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: Tensor | None = None,
) -> Tensor:
    r"""Graph attention with dynamic scores, from `How Attentive are GATs? <https://arxiv.org/abs/2105.14491>`_.

    .. math::
        y_{i,h} = \sum_{e = (j \to i)} m_{e,h} \, \text{softmax}_e(s_{e,h}) \, u_{j,h}, \qquad
        s_{e,h} = \langle a_h, \text{LeakyReLU}(u_{j,h} + v_{i,h}) \rangle

    All else is as in :func:`gat_attention`.

    Args:
        x_src: The rows of the sources, :math:`u`: scored, and summed up.
        x_dst: The rows of the targets, :math:`v`.
        att: The vector that scores are taken along, :math:`a`.
        edge_index: A :class:`graphlab.ops.Graph`, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        negative_slope: The slope of LeakyReLU below zero.
        dropout: The probability of dropping a weight after the softmax.
        seed: One int64 number from which dropout's mask follows; drawn from torch's generator by default.

    Shapes:
        - **x_src:** ``(num_sources, heads, channels)``
        - **x_dst:** ``(num_targets, heads, channels)``
        - **att:** ``(heads, channels)``
        - **output:** ``(num_targets, heads, channels)``

    Raises:
        ValueError: A shape does not fit, or ``dropout`` is not a probability.
    """
    _check_dims({"x_src": x_src, "x_dst": x_dst}, 3, "(num_nodes, heads, channels)")
    graph = _graph(edge_index, x_src, x_dst)
    _check_shape("x_dst", x_dst, (x_dst.size(0), *x_src.shape[1:]))
    _check_shape("att", att, tuple(x_src.shape[1:]))
    return _attend(graph, x_src, x_dst, None, att, seed, "gatv2", negative_slope, dropout)


def dot_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    edge_index: Any,
    scale: float | None = None,
    dropout: float = 0.0,
    seed: Tensor | None = None,
) -> Tensor:
    r"""Scaled dot-product attention along edges, from `Masked Label Prediction <https://arxiv.org/abs/2009.03509>`_.

    .. math::
        y_{i,h} = \sum_{e = (j \to i)} m_{e,h} \, \text{softmax}_e(s_{e,h}) \, v_{j,h}, \qquad
        s_{e,h} = c \, \langle q_{i,h}, k_{j,h} \rangle

    All else is as in :func:`gat_attention`.

    Args:
        query: The rows of the targets, :math:`q`.
        key: The rows of the sources that queries are compared with, :math:`k`.
        value: The rows of the sources that are summed up, :math:`v`; as wide as one likes.
        edge_index: A :class:`graphlab.ops.Graph`, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        scale: The factor of the scores, :math:`c`; ``1 / sqrt(channels)`` by default.
        dropout: The probability of dropping a weight after the softmax.
        seed: One int64 number from which dropout's mask follows; drawn from torch's generator by default.

    Shapes:
        - **query:** ``(num_targets, heads, channels)``
        - **key:** ``(num_sources, heads, channels)``
        - **value:** ``(num_sources, heads, value_channels)``
        - **output:** ``(num_targets, heads, value_channels)``

    Raises:
        ValueError: A shape does not fit, or ``dropout`` is not a probability.
    """
    _check_dims({"query": query, "key": key, "value": value}, 3, "(num_nodes, heads, channels)")
    graph = _graph(edge_index, key, query)
    _check_shape("query", query, (query.size(0), *key.shape[1:]))
    _check_shape("value", value, (key.size(0), key.size(1), value.size(2)))
    return _attend(graph, key, query, value, None, seed, "dot", _scale(scale, key), dropout)


def edge_attention_weights(
    score: str,
    source: Tensor,
    target: Tensor,
    edge_index: Any,
    att: Tensor | None = None,
    negative_slope: float = 0.2,
    scale: float | None = None,
) -> Tensor:
    r"""The weight of each edge in an attention without dropout: for explaining, not for speed.

    .. math::
        \alpha_{e,h} = \text{softmax}_e(s_{e,h})

    Args:
        score: ``"gat"``, ``"gatv2"`` or ``"dot"``, for the function with that name.
        source: ``alpha_src``, ``x_src`` or ``key`` there.
        target: ``alpha_dst``, ``x_dst`` or ``query`` there.
        edge_index: A :class:`graphlab.ops.Graph`, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        att: The vector of ``"gatv2"``.
        negative_slope: The slope of LeakyReLU for ``"gat"`` and ``"gatv2"``.
        scale: The factor of ``"dot"``; ``1 / sqrt(channels)`` by default.

    Shapes:
        - **source, target:** ``(num_nodes, heads)`` for ``"gat"``, else ``(num_nodes, heads, channels)``
        - **output:** ``(num_edges, heads)``, in the order of ``edge_index``

    Raises:
        ValueError: ``score`` is unknown, or a shape does not fit.
    """
    if score not in SCORES:
        raise ValueError(f"'score' must be one of {', '.join(map(repr, SCORES))}, got {score!r}")
    if (att is None) == (score == "gatv2"):
        raise ValueError(f"'att' belongs to 'gatv2' and to no other score, got score {score!r} and att {att!r}")
    if score == "gat":
        source, target = source.unsqueeze(-1), target.unsqueeze(-1)
    _check_dims({"source": source, "target": target}, 3, "(num_nodes, heads, channels)")
    _check_shape("target", target, (target.size(0), *source.shape[1:]))
    graph = _graph(edge_index, source, target)
    parameter = _scale(scale, source) if score == "dot" else negative_slope
    weights, _ = edge_softmax(graph.rowptr, edge_scores(graph.rowptr, graph.col, source, target, att, score, parameter))
    return weights if graph.perm is None else torch.empty_like(weights).index_copy(0, graph.perm.long(), weights)


def _attend(
    graph: Graph,
    source: Tensor,
    target: Tensor,
    value: Tensor | None,
    att: Tensor | None,
    seed: Tensor | None,
    score: str,
    parameter: float,
    dropout: float,
) -> Tensor:
    if not 0 <= dropout <= 1:
        raise ValueError(f"'dropout' must be a probability between 0 and 1, got {dropout}")
    if dropout > 0:
        seed = torch.randint(2**63 - 1, (1,), device=source.device) if seed is None else seed
        if seed.numel() != 1 or seed.dtype != torch.int64:
            raise ValueError(f"'seed' must be one int64 number, got {seed.dtype} of shape {tuple(seed.shape)}")
    present = [t for t in (source, target, value, att) if t is not None]
    dtype = present[0].dtype
    for other in present[1:]:
        dtype = torch.promote_types(dtype, other.dtype)
    source, target = source.to(dtype), target.to(dtype)
    value = None if value is None else value.to(dtype)
    att = None if att is None else att.to(dtype)
    # A backward pass needs the edges by source too; without one they are never sorted that way.
    differentiates = torch.is_grad_enabled() and any(t.requires_grad for t in present)
    by_source = graph.transposed if differentiates else (None, None, None)
    edges = (graph.rowptr, graph.col, graph.perm, *by_source)
    held = seed if dropout > 0 else None
    return _edge_attention(*edges, source, target, value, att, held, score, float(parameter), float(dropout))[0]


def _graph(edge_index: Any, source: Tensor, target: Tensor) -> Graph:
    return Graph.from_edge_index(edge_index, (source.size(0), target.size(0)))


def _scale(scale: float | None, key: Tensor) -> float:
    return max(key.size(2), 1) ** -0.5 if scale is None else scale


def _check_dims(tensors: dict[str, Tensor], dim: int, shape: str) -> None:
    for name, tensor in tensors.items():
        if tensor.dim() != dim:
            raise ValueError(f"'{name}' must be of shape {shape}, got {tuple(tensor.shape)}; one head is heads = 1")


def _check_shape(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != shape:
        raise ValueError(f"'{name}' must be of shape {shape} to fit the other inputs, got {tuple(tensor.shape)}")


def _edge_attention_fake(
    rowptr, col, perm, colptr, row, perm_t, source, target, value, att, seed, score, parameter, dropout
):
    wide = wide_dtype(source)
    channels = (source if value is None else value).size(2)
    rows, heads = target.size(0), target.size(1)
    return source.new_empty(rows, heads, channels), source.new_empty(rows, heads, dtype=wide)


def _edge_attention_backward_fake(
    rowptr, col, perm, colptr, row, perm_t, source, target, value, att, seed, out, lse, grad, score, parameter, dropout
):
    def like(x: Tensor | None) -> Tensor:
        return source.new_empty(0 if x is None else x.shape)

    return like(source), like(target), like(value), like(att)


def _setup(ctx, inputs, output) -> None:
    *tensors, ctx.score, ctx.parameter, ctx.dropout = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors, *output)


def _backward(ctx, grad: Tensor | None, _: Tensor | None) -> tuple:
    rowptr, col, perm, colptr, row, perm_t, source, target, value, att, seed, out, lse = ctx.saved_tensors
    if grad is None:
        return (None,) * 14
    if colptr is None:
        colptr, row, perm_t = csr_transpose(rowptr, col, perm, source.size(0))
    edges = (rowptr, col, perm, colptr, row, perm_t)
    options = (ctx.score, ctx.parameter, ctx.dropout)
    found = _edge_attention_backward(*edges, source, target, value, att, seed, out, lse, grad, *options)
    grad_value, grad_att = (None if t is None else g for t, g in zip((value, att), found[2:], strict=True))
    return *(None,) * 6, found[0], found[1], grad_value, grad_att, None, None, None, None


def _backward_setup(ctx, inputs, output) -> None:
    *tensors, ctx.score, ctx.parameter, ctx.dropout = inputs
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors)


def _backward_backward(ctx, *grads: Tensor | None) -> tuple:
    """Differentiate the reference, which reads neither ``out`` nor ``lse``: both follow from the inputs."""
    *edges, source, target, value, att, seed, out, lse, grad = ctx.saved_tensors
    present = [t for t in (source, target, value, att, grad) if t is not None]

    def gradients(*inputs: Tensor) -> tuple[Tensor, ...]:
        left = iter(inputs)
        own = [None if t is None else next(left) for t in (source, target, value, att, grad)]
        options = (ctx.score, ctx.parameter, ctx.dropout)
        return edge_attention_backward_ref(*edges, *own[:4], seed, out, lse, own[4], *options)  # pyright: ignore

    with torch.enable_grad():
        found = iter(differentiate_again(gradients, grads, present))
    if not torch.is_grad_enabled():
        found = iter([g if g is None else g.detach() for g in found])
    by_source, by_target, by_value, by_att, by_grad = (
        None if t is None else next(found) for t in (source, target, value, att, grad)
    )
    return *(None,) * 6, by_source, by_target, by_value, by_att, None, None, None, by_grad, None, None, None


_EDGES = "Tensor rowptr, Tensor col, Tensor? perm, "
_VALUES = "Tensor source, Tensor target, Tensor? value, Tensor? att, Tensor? seed, "
_OPTIONS = "str score, float parameter, float dropout"

_edge_attention = Op(
    "edge_attention",
    f"({_EDGES}Tensor? colptr, Tensor? row, Tensor? perm_t, {_VALUES}{_OPTIONS}) -> (Tensor, Tensor)",
    values=6,
    reference=edge_attention_ref,
    fake=_edge_attention_fake,
    setup=_setup,
    backward=_backward,
)

_edge_attention_backward = Op(
    "edge_attention_backward",
    f"({_EDGES}Tensor colptr, Tensor row, Tensor? perm_t, {_VALUES}Tensor out, Tensor lse, Tensor grad, {_OPTIONS}) "
    "-> (Tensor, Tensor, Tensor, Tensor)",
    values=6,
    reference=edge_attention_backward_ref,
    fake=_edge_attention_backward_fake,
    setup=_backward_setup,
    backward=_backward_backward,
)
