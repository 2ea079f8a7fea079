"""Laws of sorting and transposing edges."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import csr_from_coo, csr_transpose
from graphlab.ops.kernels import use_backend

keys = st.tuples(st.integers(1, 7), st.lists(st.integers(0, 6), max_size=30))
backends = pytest.mark.parametrize("backend", ["auto", "ref"])
types = pytest.mark.parametrize("dtype", [torch.int32, torch.int64])


@backends
@types
@given(keys)
def test_sorting_is_stable_and_counts(backend, dtype, given_keys):
    size, values = given_keys
    index = torch.tensor([v % size for v in values], dtype=dtype)
    with use_backend(backend):
        ptr, perm = csr_from_coo(index, size)
    order = torch.sort(index, stable=True).indices
    assert torch.equal(perm.long(), order) and perm.dtype == ptr.dtype == dtype
    assert ptr.diff().tolist() == torch.bincount(index.long(), minlength=size).tolist() and ptr[0] == 0


@backends
@types
@given(keys, st.integers(1, 5))
def test_transposing_twice_gives_the_structure_back(backend, dtype, given_keys, columns):
    rows, values = given_keys
    index = torch.tensor([v % rows for v in values], dtype=dtype)
    col = torch.tensor([(3 * v + e) % columns for e, v in enumerate(values)], dtype=dtype)
    with use_backend(backend):
        rowptr, perm = csr_from_coo(index, rows)
        first = (rowptr, col[perm.long()], perm)
        there = csr_transpose(*first, columns)
        back = csr_transpose(*there, rows)
    # Rows come in order of their columns, as they do after any transposition.
    again = sorted(zip(index.tolist(), col.tolist(), range(len(values)), strict=True))
    assert torch.equal(back[0], rowptr)
    assert back[1].tolist() == [c for _, c, _ in again] and back[2].tolist() == [e for *_, e in again]
    with use_backend(backend):
        third = csr_transpose(*back, columns)
    assert all(torch.equal(a, b) for a, b in zip(third, there, strict=True))


def test_an_index_outside_is_told():
    with pytest.raises((ValueError, RuntimeError), match=r"'index' must lie in \[0, 3\)"):
        csr_from_coo(torch.tensor([0, 3]), 3)
    with pytest.raises((ValueError, RuntimeError), match=r"'col' must lie in \[0, 2\)"):
        csr_transpose(torch.tensor([0, 1]), torch.tensor([2]), None, 2)
