import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.disk import CorruptStoreError
from graphlab.disk.record import Counts, Field, RecordLayout

ATTRIBUTES = (Field("y", "node", "int64"), Field("edge_attr", "edge", "bfloat16", (3,)), Field("t", "seed", "bool"))


def arrays_of(layout, counts, generator):
    made = {}
    for field in layout.fields:
        shape = (field.rows(counts), *field.shape)
        made[field.name] = torch.randint(0, 2, shape, generator=generator).to(field.torch_dtype)
    return made


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_what_is_written_is_read(nodes, edges, seeds, hops, e_id):
    counts = Counts(epoch=3, batch=2**40, nodes=nodes, edges=edges, seeds=seeds, hops=hops, cold=nodes)
    layout = RecordLayout.of(100, 2**31, e_id=e_id, attributes=ATTRIBUTES)
    arrays = arrays_of(layout, counts, torch.Generator().manual_seed(0))
    data = layout.encode(counts, arrays)
    assert data.numel() == layout.size(counts)
    read_counts, read = layout.decode(data)
    assert read_counts == counts
    assert list(read) == [f.name for f in layout.fields]
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        assert torch.equal(read[name], array)


def test_the_layout_goes_through_json():
    layout = RecordLayout.of(2**31, 5, e_id=True, attributes=ATTRIBUTES)
    assert RecordLayout.from_json(layout.to_json()) == layout
    assert {f.name: f.dtype for f in layout.fields}["n_id"] == "int64"


def test_other_bytes_are_refused():
    layout = RecordLayout.of(5, 5, e_id=False)
    with pytest.raises(CorruptStoreError, match="starts with"):
        layout.decode(torch.zeros(64, dtype=torch.uint8))
    counts = Counts(0, 0, nodes=40, edges=0, seeds=0, hops=0, cold=0)
    data = layout.encode(counts, arrays_of(layout, counts, None))
    with pytest.raises(CorruptStoreError, match="expected"):
        layout.decode(data[:-64])
