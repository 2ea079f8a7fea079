import torch
from hypothesis import given
from hypothesis import strategies as st

import graphlab.disk.lookup as lookup
from graphlab.disk.array_file import ArrayFile, write_array
from graphlab.disk.lookup import Lookup


@given(st.lists(st.integers(0, 99)), st.booleans(), st.sampled_from([1, 24, 100, 1 << 20]))
def test_rows_come_as_asked_for(tmp_path_factory, ids, load, step):
    root, table = tmp_path_factory.mktemp("lookup"), torch.arange(600, dtype=torch.int16).view(100, 2, 3)
    rows = Lookup(ArrayFile(write_array(root, "t.bin", table), root), load=load)
    before, lookup.STEP = lookup.STEP, step
    try:
        for dtype in (torch.int32, torch.int64):
            assert torch.equal(rows(torch.tensor(ids, dtype=dtype)), table[torch.tensor(ids, dtype=torch.long)])
    finally:
        lookup.STEP = before
