"""The specification of attention along edges: everything written out once per edge."""

import torch
from torch import Tensor

from graphlab.ops.csr import rows_of
from graphlab.ops.philox import keep_mask
from graphlab.ops.precision import widened


def edge_scores(
    rowptr: Tensor, col: Tensor, source: Tensor, target: Tensor, att: Tensor | None, score: str, parameter: float
) -> Tensor:
    """Score each edge, in CSR order.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        source: What the sources bring to the scores, ``(num_sources, heads, channels)``.
        target: What the targets bring to the scores.
        att: The vector of GATv2's scores.
        score: ``"gat"``, ``"gatv2"`` or ``"dot"``.
        parameter: The negative slope, or the factor of the dot product.

    Shapes:
        - **output:** ``(num_edges, heads)``
    """
    a, b = widened(source).index_select(0, col), widened(target).index_select(0, rows_of(rowptr))
    if score == "dot":
        return (a * b).sum(-1) * parameter
    active = torch.nn.functional.leaky_relu(a + b, parameter)
    return active.squeeze(-1) if att is None else (active * widened(att)).sum(-1)


def edge_softmax(rowptr: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over the edges into each target.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        scores: The scores in CSR order.

    Returns:
        The weights, and for each target the logarithm of their denominator.

    Shapes:
        - **scores:** ``(num_edges, heads)``
        - **output:** ``(num_edges, heads)`` and ``(num_targets, heads)``
    """
    index = rows_of(rowptr)
    top = scores.new_full((rowptr.numel() - 1, scores.size(1)), -torch.inf)
    spread = index.unsqueeze(1).expand_as(scores)
    top = top.scatter_reduce(0, spread, scores.detach(), "amax")
    powers = (scores - top[index]).exp()
    total = torch.zeros_like(top).index_add(0, index, powers)
    return powers / total[index], top + total.log()


def _keep(perm: Tensor | None, weights: Tensor, seed: Tensor | None, dropout: float) -> Tensor:
    if dropout == 0 or seed is None:
        return torch.ones_like(weights)
    place = torch.arange(weights.size(0), device=weights.device) if perm is None else perm
    return keep_mask(seed, place, weights.size(1), dropout).to(weights.dtype)


def edge_attention_ref(
    rowptr: Tensor,
    col: Tensor,
    perm: Tensor | None,
    colptr: Tensor | None,
    row: Tensor | None,
    perm_t: Tensor | None,
    source: Tensor,
    target: Tensor,
    value: Tensor | None,
    att: Tensor | None,
    seed: Tensor | None,
    score: str,
    parameter: float,
    dropout: float,
) -> tuple[Tensor, Tensor]:
    """The specification of the raw op behind :func:`graphlab.ops.gat_attention` and its relatives.

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        perm: The place of each edge in the user's order, which dropout goes by.
        colptr: The boundaries of the source nodes' edges, for the backward pass; may be missing.
        row: The target of each edge by source.
        perm_t: The place of each edge by source.
        source: What the sources bring to the scores, ``(num_sources, heads, channels)``.
        target: What the targets bring to the scores.
        value: What is summed up; ``None`` for ``source``.
        att: The vector of GATv2's scores.
        seed: The seed of dropout's mask.
        score: ``"gat"``, ``"gatv2"`` or ``"dot"``.
        parameter: The negative slope, or the factor of the dot product.
        dropout: The probability of dropping a weight.
    """
    weights, lse = edge_softmax(rowptr, edge_scores(rowptr, col, source, target, att, score, parameter))
    weights = weights * _keep(perm, weights, seed, dropout)
    rows = widened(source if value is None else value).index_select(0, col)
    out = rows.new_zeros(lse.size(0), *rows.shape[1:]).index_add(0, rows_of(rowptr), weights.unsqueeze(-1) * rows)
    return out.to(source.dtype), lse


def edge_attention_backward_ref(
    rowptr: Tensor,
    col: Tensor,
    perm: Tensor | None,
    colptr: Tensor,
    row: Tensor,
    perm_t: Tensor | None,
    source: Tensor,
    target: Tensor,
    value: Tensor | None,
    att: Tensor | None,
    seed: Tensor | None,
    out: Tensor,
    lse: Tensor,
    grad: Tensor,
    score: str,
    parameter: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    r"""The specification of the gradients by source, target, value and att; of what is missing they are empty.

    .. math::
        \frac{\partial L}{\partial s_e} = p_e \Big( m_e \langle g_i, v_j \rangle
        - \sum_{e' \to i} p_{e'} m_{e'} \langle g_i, v_{j'} \rangle \Big), \qquad
        \frac{\partial L}{\partial v_j} = \sum_{e \leftarrow j} p_e m_e \, g_i

    Args:
        rowptr: The boundaries of the target nodes' edges.
        col: The source of each edge.
        perm: The place of each edge in the user's order.
        colptr: The boundaries of the source nodes' edges.
        row: The target of each edge by source.
        perm_t: The place of each edge by source.
        source: What the sources bring to the scores.
        target: What the targets bring to the scores.
        value: What is summed up; ``None`` for ``source``.
        att: The vector of GATv2's scores.
        seed: The seed of dropout's mask.
        out: The result of the forward pass; kernels read the inner sum off it.
        lse: The logarithm of the softmax's denominators, from which kernels find the weights again.
        grad: The gradient of the result.
        score: ``"gat"``, ``"gatv2"`` or ``"dot"``.
        parameter: The negative slope, or the factor of the dot product.
        dropout: The probability of dropping a weight.
    """
    index = rows_of(rowptr)
    weights, _ = edge_softmax(rowptr, edge_scores(rowptr, col, source, target, att, score, parameter))
    keep = _keep(perm, weights, seed, dropout)
    a, b = widened(source).index_select(0, col), widened(target).index_select(0, index)
    rows = a if value is None else widened(value).index_select(0, col)
    g = widened(grad).index_select(0, index)
    by_weight = (g * rows).sum(-1) * keep
    delta = weights.new_zeros(lse.shape).index_add(0, index, weights * by_weight)
    by_score = (weights * (by_weight - delta[index])).unsqueeze(-1)
    by_row = (weights * keep).unsqueeze(-1) * g
    by_att = by_score.new_empty(0)
    if score == "dot":
        by_a, by_b = by_score * b * parameter, by_score * a * parameter
    else:
        by_a = torch.where(a + b > 0, by_score, by_score * parameter)
        if att is not None:
            by_att = (by_a * (a + b)).sum(0)
            by_a = by_a * widened(att)
        by_b = by_a
    grad_value = grad.new_empty(0)
    if value is None:
        by_a = by_a + by_row
    else:
        grad_value = widened(value).new_zeros(value.shape).index_add(0, col, by_row)
    grad_source = by_a.new_zeros(source.shape).index_add(0, col, by_a)
    grad_target = by_b.new_zeros(target.shape).index_add(0, index, by_b)
    grad_source, grad_target, grad_value, grad_att = (
        t.to(source.dtype) for t in (grad_source, grad_target, grad_value, by_att)
    )
    return grad_source, grad_target, grad_value, grad_att
