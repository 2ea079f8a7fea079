"""The three operators of DGCN: who is linked, who is reached by the same nodes, who reaches the same nodes."""

from typing import Any, NamedTuple

import torch
from scipy.sparse import csr_array, eye_array, vstack
from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.operator import Operator
from graphlab.directed.operator_product import OperatorProduct
from graphlab.directed.remember import remembered
from graphlab.directed.sparse import (
    as_operator,
    inverse_degree,
    scaled,
    simple_adjacency,
    symmetrically_normalized,
)


class DGCNOperators(NamedTuple):
    """The operators of DGCN, each symmetric and normalised with loops."""

    undirected: Operator
    """Who is linked, in whichever direction."""

    in_proximity: OperatorProduct
    """Who is reached by the same nodes."""

    out_proximity: OperatorProduct
    """Who reaches the same nodes."""


def dgcn_operators(edge_index: Any, edge_weight: Tensor | None = None, *, num_nodes: int) -> DGCNOperators:
    r"""First-order and second-order proximities of a directed graph, the latter factor by factor.

    .. math::
        A_U = \max(A, A^\top), \qquad A_\text{in} = A^\top D_\text{out}^{-1} A, \qquad
        A_\text{out} = A D_\text{in}^{-1} A^\top, \qquad \hat M = \tilde D^{-1/2} (M + I) \tilde D^{-1/2}

    of Tong et al. (DGCN, 2020, arXiv 2004.13970), where a common in-neighbour counts the less the more nodes it
    reaches. The products keep their diagonal. They are symmetric, :math:`A_\text{in} + I = B^\top B` with
    :math:`B = (D_\text{out}^{-1/2} A; I)`, and are applied so: all three take :math:`O(n + E)` time and memory to make
    and :math:`O((n + E) f)` to apply, however many entries the products have. Turning all edges swaps the two
    proximities. Remembered for equal edges and weights. Loops of the graph are left out; edges that are stored twice
    count once, or with the sum of their weights. No gradient reaches the weights.

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
        >>> from graphlab.directed import dgcn_operators
        >>> made = dgcn_operators(torch.tensor([[0, 0], [1, 2]]), num_nodes=3)
        >>> made.in_proximity.to_dense()[1].round(decimals=6).tolist()
        [0.0, 0.75, 0.25]
    """
    graph, edge_weight = checked_edges(edge_index, edge_weight, num_nodes)

    def build() -> DGCNOperators:
        adjacency, device = simple_adjacency(graph, edge_weight, num_nodes=num_nodes), graph.col.device
        turned = csr_array(adjacency.T)
        looped = csr_array(adjacency.maximum(turned) + eye_array(num_nodes, format="csr"))
        undirected = as_operator(symmetrically_normalized(looped), device)
        return DGCNOperators(undirected, _proximity(adjacency, device), _proximity(turned, device))

    return remembered(graph, edge_weight, ("dgcn",), build)


def _proximity(steps: csr_array, device: torch.device) -> OperatorProduct:
    r"""Two nodes are near that are reached from the same: :math:`B^\top B` with normalised columns."""
    num_nodes = steps.indptr.size - 1
    # The row sums of A^T D_out^-1 A are those of A^T: each of these steps came from somewhere.
    scale = inverse_degree(steps.sum(axis=0) + 1, 0.5)
    shared = scaled(steps, inverse_degree(steps.sum(axis=1), 0.5), scale)
    loops = scaled(csr_array(eye_array(num_nodes, format="csr")), scale, scale**0)
    operator = as_operator(csr_array(vstack([shared, loops], format="csr")), device)
    return OperatorProduct([operator.T, operator])
