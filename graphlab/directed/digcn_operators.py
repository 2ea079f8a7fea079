"""The two operators of DiGCN: personalised PageRank, and what two nodes share in both directions."""

import math
from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array, vstack
from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.operator import Operator
from graphlab.directed.remember import remembered
from graphlab.directed.sparse import (
    as_operator,
    inverse_degree,
    products_per_row,
    row_blocks,
    scaled,
    simple_adjacency,
    symmetrically_normalized,
)

_PRECISION = 1e-14
# Of a block of rows; one row may take more.
_MAX_PRODUCTS = 10_000_000


def page_rank_operator(
    edge_index: Any, edge_weight: Tensor | None = None, *, num_nodes: int, teleport: float = 0.1
) -> Operator:
    r"""The symmetric operator of DiGCN from the stationary distribution of a personalised PageRank.

    .. math::
        L = \tfrac12 \left( \Pi^{1/2} P \Pi^{-1/2} + \Pi^{-1/2} P^\top \Pi^{1/2} \right), \qquad
        \hat L = D_L^{-1/2} L D_L^{-1/2}, \quad P = \tilde D^{-1} (A + I)

    of Tong et al. (2020, arXiv 2010.13973). :math:`\pi` is the left Perron vector of the walk that goes to an auxiliary
    node with probability :math:`\alpha` (``teleport``) and from there to any node,

    .. math::
        \begin{pmatrix} (1 - \alpha) P & \alpha 1 \\ \tfrac1n 1^\top & 0 \end{pmatrix},

    restricted to the nodes and scaled to sum 1. Eliminating the auxiliary node leaves
    :math:`\pi = (1 - \alpha) P^\top \pi + \tfrac{\alpha}{n} 1`, which is iterated, in double precision, until every
    entry is right to a relative 1e-14: :math:`O(\log(n) / \alpha)` products with the sparse :math:`P`, no dense matrix
    and no eigenvalue problem. The result has at most :math:`2 E + n` entries and is remembered for equal edges and
    weights. Loops of the graph are left out; edges that are stored twice count once, or with the sum of their weights.
    Turning the edges gives another operator, not the transposed. No gradient reaches the weights.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number per edge, not negative; ``None`` for 1.
        num_nodes: The number of nodes.
        teleport: The probability of the auxiliary node, between 0 and 1.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: The edges are malformed, a weight is negative or not finite, or ``teleport`` is outside its range.

    Example:
        >>> import torch
        >>> from graphlab.directed import page_rank_operator
        >>> page_rank_operator(torch.tensor([[0, 1], [1, 0]]), num_nodes=2).to_dense().round(decimals=6).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    if not 0 < teleport < 1:
        raise ValueError(f"'teleport' must lie between 0 and 1, got {teleport}; 0.1 is usual")
    graph, edge_weight = checked_edges(edge_index, edge_weight, num_nodes)

    def build() -> Operator:
        walk = _walk(simple_adjacency(graph, edge_weight, num_nodes=num_nodes))
        root = np.sqrt(_page_rank(walk, teleport))
        half = scaled(walk, root, inverse_degree(root)) / 2
        return as_operator(symmetrically_normalized(csr_array(half + half.T)), graph.col.device)

    return remembered(graph, edge_weight, ("page rank", teleport), build)


def second_order_operator(edge_index: Any, edge_weight: Tensor | None = None, *, num_nodes: int) -> Operator:
    r"""The second-order operator of DiGCN-IB: pairs that share both a node they reach and a node that reaches them.

    .. math::
        L_2 = \tfrac12 (P P^\top + P^\top P) \odot [P P^\top > 0] \odot [P^\top P > 0], \qquad
        \hat L_2 = D^{-1/2} L_2 D^{-1/2}, \quad D = \operatorname{diag}(L_2 1)

    with :math:`P = \tilde D^{-1} (A + I)` (Tong et al. 2020, arXiv 2010.13973). The result must be formed, as the
    restriction to the common support does not factorise: that takes :math:`\sum_k d_\text{in}(k)^2 + d_\text{out}(k)^2`
    multiplications, which a node of degree 100,000 makes ten billion. Rows are formed a block at a time, so that
    memory stays with what survives the restriction. Remembered for equal edges and weights. Loops of the graph are left
    out; edges that are stored twice count once, or with the sum of their weights. No gradient reaches the weights.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number per edge, not negative; ``None`` for 1.
        num_nodes: The number of nodes.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: The edges are malformed, or a weight is negative or not finite.

    Example:
        >>> import torch
        >>> from graphlab.directed import second_order_operator
        >>> second_order_operator(torch.tensor([[0, 1], [1, 2]]), num_nodes=3).to_dense()[0, 2].item()
        0.0
    """
    graph, edge_weight = checked_edges(edge_index, edge_weight, num_nodes)

    def build() -> Operator:
        walk = _walk(simple_adjacency(graph, edge_weight, num_nodes=num_nodes))
        return as_operator(symmetrically_normalized(_common(walk)), graph.col.device)

    return remembered(graph, edge_weight, ("second order",), build)


def _walk(adjacency: csr_array) -> csr_array:
    """Where one step leads, loops added."""
    looped = csr_array(adjacency + eye_array(adjacency.indptr.size - 1, format="csr"))
    return scaled(looped, inverse_degree(looped.sum(axis=1)), np.ones(looped.indptr.size - 1))


def _page_rank(walk: csr_array, alpha: float) -> np.ndarray:
    r"""Sum :math:`\frac{\alpha}{n} \sum_k (1 - \alpha)^k (P^\top)^k 1`."""
    num_nodes = walk.indptr.size - 1
    backward = csr_array(walk.T)
    term = np.full(num_nodes, alpha / max(num_nodes, 1))
    rank = term.copy()
    # What is left after k terms sums to (1 - alpha)^(k + 1), and no entry is below alpha / n.
    for _ in range(math.ceil(math.log(_PRECISION * alpha / max(num_nodes, 1)) / math.log1p(-alpha))):
        term = (1 - alpha) * (backward @ term)
        rank += term
    return rank / rank.sum()


def _common(walk: csr_array) -> csr_array:
    backward = csr_array(walk.T)
    cost = products_per_row(walk, backward) + products_per_row(backward, walk)
    blocks = [_common_rows(walk[rows] @ backward, backward[rows] @ walk) for rows in row_blocks(cost, _MAX_PRODUCTS)]
    return csr_array(vstack(blocks, format="csr")) if blocks else walk


def _common_rows(out: csr_array, into: csr_array) -> csr_array:
    """Add two products where both have entries."""
    supports = []
    for product in (out, into):
        product.sort_indices()
        supports.append(csr_array((np.ones_like(product.data), product.indices, product.indptr), product.shape))
    return csr_array(out.multiply(supports[1]) + into.multiply(supports[0])) / 2
