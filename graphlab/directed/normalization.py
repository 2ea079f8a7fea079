"""Adjacencies scaled by degrees: what the convolutions of directed and undirected graphs propagate with."""

from typing import Any

import torch
from torch import Tensor

from graphlab.directed.checked_edges import weighted_edges
from graphlab.directed.operator import Operator
from graphlab.directed.remember import remembered
from graphlab.ops import Graph


def dir_norm(edge_index: Any, edge_weight: Tensor | None = None, *, num_nodes: int, exponent: float = 0.5) -> Operator:
    r"""The adjacency of a directed graph, scaled by out-degrees and in-degrees.

    .. math::
        \hat A = D_\text{out}^{-e} A D_\text{in}^{-e}, \qquad d_\text{out} = A 1, \quad d_\text{in} = A^\top 1,
        \quad 0^{-e} := 0

    With :math:`e = 1/2` that of Dir-GCN (Rossi et al. 2023, arXiv 2305.10498), with 1/4 that of FaberNet (Koke &
    Cremers 2023, arXiv 2310.02232). No loops are added; edges that are stored twice add up. The branch of
    in-neighbours is ``dir_norm(...).T``. The result is remembered for equal edges and
    weights.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number per edge; ``None`` for 1. Gradients reach it, also through the degrees.
        num_nodes: The number of nodes.
        exponent: The :math:`e` above.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: The edges are malformed, or weights make a degree negative, infinite or NaN.

    Example:
        >>> import torch
        >>> from graphlab.directed import dir_norm
        >>> dir_norm(torch.tensor([[0, 0], [1, 2]]), num_nodes=3).to_dense()[0].tolist()  # doctest: +ELLIPSIS
        [0.0, 0.707..., 0.707...]
    """
    graph, edge_weight = weighted_edges(edge_index, edge_weight, num_nodes)
    return _normalized(graph, edge_weight, exponent, False)


def gcn_norm(
    edge_index: Any, edge_weight: Tensor | None = None, *, num_nodes: int, add_self_loops: bool = True
) -> Operator:
    r"""The symmetric normalisation of an undirected graph.

    .. math::
        \hat A = \tilde D^{-1/2} \tilde A \tilde D^{-1/2}, \qquad \tilde A = A + I, \quad \tilde d = \tilde A 1,
        \quad 0^{-1/2} := 0

    (Kipf & Welling 2016, arXiv 1609.02907.) A node that has a loop keeps it and gets no second one. Each edge must be
    stored in both directions (``torch_geometric.utils.to_undirected``); of a directed graph this is :func:`dir_norm`
    with loops. The result is remembered for equal edges and
    weights.

    Args:
        edge_index: Sources and targets, or what :meth:`graphlab.ops.Graph.from_edge_index` takes.
        edge_weight: One number per edge; ``None`` for 1. Gradients reach it, also through the degrees.
        num_nodes: The number of nodes.
        add_self_loops: Whether nodes without a loop get one of weight 1.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: The edges are malformed, or weights make a degree negative, infinite or NaN.

    Example:
        >>> import torch
        >>> from graphlab.directed import gcn_norm
        >>> gcn_norm(torch.tensor([[0, 1], [1, 0]]), num_nodes=2).to_dense().round(decimals=6).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    graph, edge_weight = weighted_edges(edge_index, edge_weight, num_nodes)
    return _normalized(graph, edge_weight, 0.5, add_self_loops)


def inverse_power(degree: Tensor, exponent: float) -> Tensor:
    r"""Raise degrees to a negative power, with :math:`0^{-e} := 0` in value and gradient.

    Args:
        degree: Numbers that are not negative.
        exponent: The :math:`e` of :math:`d^{-e}`; 0 gives ones, also at 0.

    Raises:
        ValueError: A degree is negative, infinite or NaN.
    """
    if not bool(((degree >= 0) & degree.isfinite()).all()):
        raise ValueError(
            f"'edge_weight' must give every node a finite degree of at least 0, got degrees from "
            f"{float(degree.min())} to {float(degree.max())}; leave out edges of negative or infinite weight"
        )
    if exponent == 0:
        return torch.ones_like(degree)
    positive = degree > 0
    return torch.where(positive, torch.where(positive, degree, 1).pow(-exponent), 0)


def _normalized(graph: Graph, weight: Tensor | None, exponent: float, loops: bool) -> Operator:
    return remembered(graph, weight, ("norm", exponent, loops), lambda: _scaled(graph, weight, exponent, loops))


def _scaled(graph: Graph, weight: Tensor | None, exponent: float, loops: bool) -> Operator:
    if loops:
        graph, weight = _with_missing_loops(graph, weight)
    if weight is None:
        weight = torch.ones(graph.num_edges, dtype=torch.float64, device=graph.col.device)
    adjacency = Operator(graph.reverse(), weight)
    # Half precision counts neither far nor finely enough.
    ones = weight.new_ones(graph.num_targets, 1, dtype=torch.promote_types(weight.dtype, torch.float32))
    out, into = (inverse_power((side @ ones).flatten(), exponent) for side in (adjacency, adjacency.T))
    source, target = graph.edge_index()
    return Operator(adjacency.graph, out[source] * weight * into[target])


def _with_missing_loops(graph: Graph, weight: Tensor | None) -> tuple[Graph, Tensor | None]:
    edge_index = graph.edge_index()
    lacks = torch.ones(graph.num_targets, dtype=torch.bool, device=edge_index.device)
    lacks[edge_index[0, edge_index[0] == edge_index[1]]] = False
    loops = lacks.nonzero().T.expand(2, -1)
    if weight is not None:
        weight = torch.cat([weight, weight.new_ones(loops.size(1))])
    return Graph.from_edge_index(torch.cat([edge_index, loops], 1), graph.size), weight
