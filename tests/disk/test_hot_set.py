import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.disk.hot_set import HotSet, hot_nodes
from graphlab.disk.journal import Journal


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(0, 40))
def test_the_most_frequent_are_hot_and_of_equals_the_first(counts, rows):
    order = sorted((i for i, c in enumerate(counts) if c), key=lambda i: (-counts[i], i))
    assert hot_nodes(torch.tensor(counts, dtype=torch.int32), rows).tolist() == sorted(order[:rows])


@given(st.sets(st.integers(0, 20)), st.lists(st.integers(0, 20)), st.sampled_from([torch.int32, torch.int64]))
def test_every_node_has_its_place(hot, nodes, dtype):
    hot = HotSet(torch.tensor(sorted(hot), dtype=dtype))
    nodes = torch.tensor(nodes, dtype=dtype)
    cold = hot.cold(nodes)
    assert cold.tolist() == sorted(set(nodes.tolist()) - set(hot.ids.tolist()))
    place = hot.place(nodes, cold)
    assert place.dtype == torch.int32
    found = [hot.ids[p + 2**31] if p < 0 else cold[p] for p in place.tolist()]
    assert [int(n) for n in found] == nodes.tolist()


@pytest.mark.parametrize("ids", [[], [3, 2**31 - 1]])
def test_a_set_is_read_as_it_was_saved(tmp_path, ids):
    with Journal(tmp_path, "work") as journal:
        assert HotSet.load(tmp_path, journal, torch.int32) is None
        HotSet(torch.tensor(ids, dtype=torch.int32)).save(tmp_path, journal)
        loaded = HotSet.load(tmp_path, journal, torch.int32)
        assert loaded is not None
        assert loaded.ids.tolist() == ids
