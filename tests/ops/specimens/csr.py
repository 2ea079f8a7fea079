"""Specimens of sorting and transposing edges."""

from tests.ops.cases import Case
from tests.ops.specimens import Arguments, Specimen


def _sort(case: Case) -> Arguments:
    edges = case.edges
    return [edges.target[edges.perm.long()] if edges.perm is not None else edges.target, edges.num_targets]


def _sorted(index, size):
    keys = index.tolist()
    perm = index.new_tensor(sorted(range(len(keys)), key=keys.__getitem__))
    return index.new_tensor([sum(k < i for k in keys) for i in range(size + 1)]), perm


def _transpose(case: Case) -> Arguments:
    edges = case.edges
    return [edges.rowptr, edges.col, edges.perm, edges.num_sources]


def _transposed(rowptr, col, perm, size):
    found = []
    for i in range(len(rowptr) - 1):
        for e in range(int(rowptr[i]), int(rowptr[i + 1])):
            found.append((int(col[e]), e, i, e if perm is None else int(perm[e])))
    found.sort()
    colptr = [sum(j < k for j, *_ in found) for k in range(size + 1)]
    return tuple(col.new_tensor(values) for values in (colptr, [f[2] for f in found], [f[3] for f in found]))


SPECIMENS = [
    Specimen(
        "csr_from_coo",
        _sort,
        _sorted,
        # More edges, or fewer, are another graph.
        legal=frozenset({"index: one more row", "index: one row less", "index: no row"}),
    ),
    Specimen("csr_transpose", _transpose, _transposed),
]
