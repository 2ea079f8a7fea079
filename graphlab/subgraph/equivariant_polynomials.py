"""Equivariant polynomials of the adjacency that PPGN does not compute, as features of pairs of nodes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from graphlab.ops import Graph
from graphlab.ops.cache import IndexCache
from graphlab.ops.csr import rows_of
from graphlab.subgraph.check_inside import check_inside
from graphlab.subgraph.node_batch import checked_batch
from graphlab.subgraph.sparse_polynomials import sparse_polynomials

Pattern = tuple[tuple[tuple[int, int], ...], tuple[int, ...]]

_K4 = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
_TAIL_AT_OUTPUT = ((0, 1), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
_LONG_SIDE = ((0, 1), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4))

POLYNOMIALS: tuple[Pattern, ...] = (
    (((0, 1), (0, 2), (0, 3), (1, 2), (2, 3)), (1, 3)),
    (_K4, ()),
    (_K4, (0,)),
    (_K4, (0, 1)),
    (((0, 1), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4)), (3, 4)),
    (_TAIL_AT_OUTPUT, (0, 2)),
    (_TAIL_AT_OUTPUT, (2, 0)),
    (_TAIL_AT_OUTPUT, (1, 2)),
    (_TAIL_AT_OUTPUT, (2, 1)),
    (_LONG_SIDE, (1, 4)),
    (_LONG_SIDE, (4, 1)),
    (((0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)), (2, 3)),
)
"""Edges and output nodes of each polynomial, in the order of their channels: the first has degree 5, all others 6."""

NUM_POLYNOMIALS = {5: 1, 6: len(POLYNOMIALS)}

_CACHE = IndexCache(max_entries=64, max_bytes=256 << 20)


class PairPolynomials(NamedTuple):
    """The values of polynomials where any of them is not 0.

    Args:
        index: Rows and columns, sorted by row and then by column, int64.
        value: The polynomials of each pair, int64.

    Shapes:
        - **index:** ``(2, num_pairs)``
        - **value:** ``(num_pairs, num_polynomials)``
    """

    index: Tensor
    value: Tensor

    def dense(self, num_nodes: int) -> Tensor:
        """Give one matrix for each polynomial.

        Args:
            num_nodes: The number of nodes.

        Shapes:
            - **output:** ``(num_polynomials, num_nodes, num_nodes)``
        """
        matrices = self.value.new_zeros(self.value.size(1), num_nodes, num_nodes)
        matrices[:, self.index[0], self.index[1]] = self.value.T
        return matrices


def equivariant_polynomials(
    edge_index: Any,
    num_nodes: int | None = None,
    degree: int = 5,
    batch: Tensor | None = None,
    batch_size: int | None = None,
) -> PairPolynomials:
    r"""Compute the equivariant polynomials of up to a degree that PPGN does not compute.

    .. math::
        P_H(A)_{ij} = \sum_{j_1, \dots, j_m : j_a = i, j_b = j} \; \prod_{(r, s) \in E(H)} A_{j_r j_s}, \qquad
        P_5(A)_{ij} = w^\top A w \text{ with } w = A_i \circ A_j

    for a pattern :math:`H` of :math:`m` nodes with output nodes :math:`a, b`: one output node gives a diagonal, none
    the same number for all pairs of a graph. Of `Equivariant Polynomials for Graph Neural Networks
    <https://arxiv.org/abs/2302.11556>`_ (Puny et al., 2023). PPGN computes all of degree 4 and below; one of degree 5
    it does not, and eleven of degree 6: ``POLYNOMIALS`` lists them.

    The one of degree 5 is 0 but for pairs in the common neighborhood of an edge: with :math:`t_e` triangles at edge
    :math:`e` it takes time and memory :math:`O(\sum_e t_e^2)` beside a sort of the edges. Those of degree 6 reach
    further: products with the adjacency, and all pairs of a graph that has four nodes joined to each other.

    Args:
        edge_index: The edges of an undirected graph, both ways, as a tensor, an ``EdgeIndex``, a transposed sparse
            adjacency, or a ``Graph``; an edge listed twice counts twice.
        num_nodes: The number of nodes; ``None`` for that of ``batch``, or one more than the largest in ``edge_index``.
        degree: 5 for one polynomial, 6 for all twelve.
        batch: The graph of each node, sorted; ``None`` for one graph.
        batch_size: The number of graphs; ``None`` for one more than the largest in ``batch``.

    Shapes:
        - **edge_index:** ``(2, num_edges)``
        - **batch:** ``(num_nodes,)``

    Raises:
        ValueError: ``degree`` is not 5 or 6, edges go one way only or lead out of the nodes or out of their graph, or
            ``batch`` is not sorted.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import equivariant_polynomials
        >>> one_way = torch.tensor([[0, 0, 1, 1, 2], [1, 2, 2, 3, 3]])
        >>> polynomials = equivariant_polynomials(torch.cat([one_way, one_way.flip(0)], dim=1))
        >>> polynomials.dense(4)[0].tolist()
        [[2, 0, 0, 2], [0, 4, 0, 0], [0, 0, 4, 0], [2, 0, 0, 2]]
    """
    check_degree(degree)
    nodes = batch.numel() if num_nodes is None and batch is not None else num_nodes
    graph = Graph.from_edge_index(edge_index, (nodes, nodes))
    nodes = graph.num_targets
    batch, batch_size = checked_batch(batch, nodes, batch_size, graph.col.device)
    check_inside("edge_index", graph.col.long(), rows_of(graph.rowptr), batch)
    content = torch.cat([graph.rowptr, graph.col])
    if degree == 5:
        return _CACHE.get(content, (5, nodes), lambda: _compute(graph, None, 0), _num_bytes)
    content = torch.cat([content.long(), batch])
    return _CACHE.get(content, (6, nodes, batch_size), lambda: _compute(graph, batch, batch_size), _num_bytes)


class EquivariantPolynomials(BaseTransform):
    """Store the polynomials of :func:`equivariant_polynomials` with a graph, for PyG's batches to join.

    Sets ``polynomial_index`` ``(2, num_pairs)`` and ``polynomial_value`` ``(num_pairs, num_polynomials)``, which
    :class:`PPGNPlusPlus` takes as ``polynomials=(data.polynomial_index, data.polynomial_value)``.

    Args:
        degree: 5 for one polynomial, 6 for all twelve.

    Raises:
        ValueError: ``degree`` is not 5 or 6, or edges go one way only.
    """

    def __init__(self, degree: int = 5) -> None:
        self.degree = check_degree(degree)

    def forward(self, data: Data) -> Data:
        """Set the two attributes.

        Args:
            data: One graph or a batch of graphs.
        """
        found = equivariant_polynomials(data.edge_index, data.num_nodes, self.degree, data.get("batch"))
        data.polynomial_index, data.polynomial_value = found
        return data

    def __repr__(self) -> str:
        return f"EquivariantPolynomials(degree={self.degree})"


def polynomial_ref(adjacency: Tensor, edges: Sequence[tuple[int, int]], outputs: Sequence[int]) -> Tensor:
    """The specification of :func:`equivariant_polynomials`: one polynomial of one graph, summed as it is written.

    Args:
        adjacency: The number of edges between each two nodes.
        edges: The edges of the pattern.
        outputs: The output nodes of the pattern, none, one or two of them.

    Shapes:
        - **adjacency, output:** ``(num_nodes, num_nodes)``
    """
    letters = ",".join("abcdefgh"[r] + "abcdefgh"[s] for r, s in edges)
    value = torch.einsum(f"{letters}->{''.join('abcdefgh'[r] for r in outputs)}", *[adjacency] * len(edges))
    return value.diag() if len(outputs) == 1 else value.expand_as(adjacency)


def check_degree(degree: int) -> int:
    """Return ``degree`` if polynomials of that degree are known.

    Args:
        degree: The largest degree asked for.

    Raises:
        ValueError: It is not 5 or 6.
    """
    if degree not in NUM_POLYNOMIALS:
        raise ValueError(f"'degree' must be 5 or 6, got {degree}; up to degree 4 PPGN computes all of them itself")
    return degree


def _compute(graph: Graph, batch: Tensor | None, batch_size: int) -> PairPolynomials:
    nodes, device = graph.num_targets, graph.col.device
    parts = [part.cpu().numpy() for part in (graph.col, graph.rowptr)]
    # Duplicates are summed in place, and others read this graph.
    adjacency = csr_array((np.ones(graph.num_edges, dtype=np.int64), *parts), shape=(nodes, nodes), copy=True)
    adjacency.sum_duplicates()
    if (adjacency != adjacency.T).nnz:
        raise ValueError(
            "'edge_index' must list each edge both ways, as often one way as the other, got some that go one way only; "
            "make them with torch_geometric.utils.to_undirected"
        )
    members = None if batch is None else _members(batch.cpu().numpy(), batch_size)
    index, value = sparse_polynomials(adjacency, members)
    return PairPolynomials(torch.from_numpy(index).to(device), torch.from_numpy(value).to(device))


def _members(batch: np.ndarray, batch_size: int) -> csr_array:
    places = np.arange(batch.size + 1)
    return csr_array((np.ones(batch.size, dtype=np.int64), batch, places), shape=(batch.size, batch_size))


def _num_bytes(found: PairPolynomials) -> int:
    return found.index.nbytes + found.value.nbytes
