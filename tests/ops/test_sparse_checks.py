import pytest
import torch

from graphlab.ops import Graph
from graphlab.ops.sparse_checks import check_sparse


def coo(rows, columns, size=(5, 5), **options):
    return torch.sparse_coo_tensor(torch.tensor([rows, columns]), torch.ones(len(rows)), size, **options)


def compressed(make, pointer, index, entries, size=(5, 5)):
    return make(torch.tensor(pointer), torch.tensor(index), torch.ones(entries), size, check_invariants=False)


CSR, CSC = torch.sparse_csr_tensor, torch.sparse_csc_tensor
MALFORMED = {
    "pointers out of order": (compressed(CSR, [0, 5, 1, 1, 1, 2], [0, 1], 2), "ascend from 0 to its 2 entries"),
    "pointers past the end": (compressed(CSR, [0, 0, 0, 0, 0, 10**7], [0, 1], 2), "ascend from 0"),
    "pointers not from 0": (compressed(CSC, [1, 1, 1, 1, 1, 2], [0, 1], 2), "ascend from 0"),
    "too few pointers": (compressed(CSR, [0, 2], [0, 1], 2), "must have 6 row"),
    "column": (compressed(CSR, [0, 2, 2, 2, 2, 2], [0, 2**32], 2), "columns from 0 to 4294967296"),
    "row of a column": (compressed(CSC, [0, 2, 2, 2, 2, 2], [0, -1], 2), "rows from -1 to 0"),
    "row": (coo([0, 10**8], [0, 1]), "rows from 0 to 100000000"),
    "negative": (coo([0, 1], [0, -3]), "columns from -3 to 0"),
    "not coalesced": (coo([3, 0], [0, 1], is_coalesced=True), "marked as coalesced"),
    "dense entries": (torch.sparse_coo_tensor([[0], [1]], torch.ones(1, 3), (5, 5, 3)), "got 3 dimensions"),
    "blocks": (torch.ones(4, 4).to_sparse_bsr((2, 2)), "COO, CSR or CSC"),
}


@pytest.mark.parametrize("bad", MALFORMED)
def test_malformed_matrices_are_refused_before_torch_converts_them(bad):
    matrix, message = MALFORMED[bad]
    with pytest.raises(ValueError, match=message):
        check_sparse("x", matrix)
    with pytest.raises(ValueError, match="'edge_index'"):
        Graph.from_edge_index(matrix)


def test_unsorted_and_double_entries_pass():
    for matrix in (
        coo([3, 0, 3], [0, 1, 0]),
        compressed(CSR, [0, 0, 3, 3, 3, 3], [4, 0, 4], 3),
        torch.zeros(5, 5).to_sparse(),
    ):
        assert check_sparse("x", matrix) is matrix
