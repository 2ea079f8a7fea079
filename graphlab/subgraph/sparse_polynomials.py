"""The polynomials that PPGN does not compute, by products of sparse matrices."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, dia_array, diags_array

Ints = NDArray[np.int64]


def sparse_polynomials(adjacency: csr_array, members: csr_array | None) -> tuple[Ints, Ints]:
    """Give the pairs where a polynomial is not 0, by row and column, and the polynomials there.

    Args:
        adjacency: The number of edges between each two nodes, symmetric and without duplicates.
        members: A 1 for each node in the column of its graph, for the polynomials of degree 6; ``None`` for degree 5.

    Shapes:
        - **adjacency:** ``(num_nodes, num_nodes)``
        - **members:** ``(num_nodes, batch_size)``
        - **output:** ``(2, num_pairs)`` and ``(num_pairs, num_polynomials)``
    """
    row, col = adjacency.nonzero()
    common = _common_neighbors(adjacency, row, col)
    fifth = csr_array(common.T @ _diagonal(adjacency.data) @ common)
    sixth = [] if members is None else _sixth(adjacency, fifth, common, members)
    return _joined([fifth, *sixth])


def _sixth(adjacency: csr_array, fifth: csr_array, common: csr_array, members: csr_array) -> list[csr_array]:
    row, col = adjacency.nonzero()
    degree = adjacency.sum(axis=1)
    cliques = adjacency.multiply(fifth)
    per_node = cliques.sum(axis=1)
    tailed = common.T @ _diagonal(adjacency.data * degree[row]) @ common
    squared = csr_array(adjacency @ adjacency)
    long_side = adjacency[row].multiply(squared[col]).T @ _diagonal(adjacency.data) @ common
    far_common = _common_neighbors(adjacency, *squared.nonzero())
    return [
        members @ _diagonal(members.T @ per_node) @ members.T,
        _diagonal(per_node),
        cliques,
        tailed,
        adjacency @ fifth,
        fifth @ adjacency,
        _diagonal(degree) @ fifth,
        fifth @ _diagonal(degree),
        long_side,
        long_side.T,
        far_common.T @ _diagonal(squared.data) @ far_common,
    ]


def _diagonal(values: Any) -> dia_array:
    return diags_array(values, dtype=np.int64)


def _common_neighbors(adjacency: csr_array, row: Ints, col: Ints) -> csr_array:
    """The products of the two rows of each listed pair; the shorter row is looked up in the longer one."""
    nodes, ptr = adjacency.indptr.size - 1, adjacency.indptr
    length = np.diff(ptr)
    longer = length[row] > length[col]
    short, long = np.where(longer, col, row).astype(np.int64), np.where(longer, row, col).astype(np.int64)
    counts = length[short]
    pair = np.repeat(np.arange(short.size), counts)
    place = np.arange(pair.size) - np.repeat(np.cumsum(counts) - counts - ptr[short], counts)
    neighbor = adjacency.indices[place]
    keys = np.repeat(np.arange(nodes, dtype=np.int64), length) * nodes + adjacency.indices
    wanted = long[pair] * nodes + neighbor
    found = np.minimum(np.searchsorted(keys, wanted), max(keys.size - 1, 0))
    hit = keys[found] == wanted
    value = adjacency.data[place[hit]] * adjacency.data[found[hit]]
    return csr_array((value, (pair[hit], neighbor[hit])), shape=(short.size, nodes))


def _joined(matrices: list[csr_array]) -> tuple[Ints, Ints]:
    nodes = matrices[0].indptr.size - 1
    listed = []
    for matrix in matrices:
        entries = matrix.tocoo()
        kept = entries.data != 0
        keys = entries.coords[0].astype(np.int64) * nodes + entries.coords[1]
        listed.append((keys[kept], entries.data[kept]))
    pairs = np.unique(np.concatenate([keys for keys, _ in listed]))
    value = np.zeros((pairs.size, len(matrices)), dtype=np.int64)
    for channel, (keys, data) in enumerate(listed):
        value[np.searchsorted(pairs, keys), channel] = data
    return np.stack(np.divmod(pairs, max(nodes, 1))), value
