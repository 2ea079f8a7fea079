import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import extend_nodes, use_backend
from tests.ops.sampling import BACKENDS, same

ids = st.lists(st.one_of(st.integers(0, 30), st.integers(0, 2**31 - 2)), max_size=60)
backends = pytest.mark.parametrize("backend", BACKENDS)


@backends
@given(ids, ids, st.sampled_from([torch.int32, torch.int64]))
def test_places_lead_back_to_the_neighbours(backend, given_ids, coming, dtype):
    node, neighbor = torch.tensor(given_ids, dtype=dtype), torch.tensor(coming, dtype=dtype)
    with use_backend(backend):
        local, added = extend_nodes(node, neighbor)
    everything = torch.cat([node, added]).tolist()
    assert [everything[place] for place in local.tolist()] == coming
    assert added.tolist() == list(dict.fromkeys(i for i in coming if i not in given_ids))
    assert all(everything.index(i) == place for i, place in zip(coming, local.tolist(), strict=True))
    assert local.dtype == added.dtype == dtype


def test_large_lists_and_small_ones_after_them():
    generator = torch.Generator().manual_seed(0)
    for size in (100_000, 3, 20_000, 0):
        node = torch.randint(0, 2**62, (size,), generator=generator)
        neighbor = torch.cat([node.flip(0), torch.randint(0, 2**62, (size,), generator=generator)])
        got = extend_nodes(node, neighbor)
        with use_backend("ref"):
            assert same(got, extend_nodes(node, neighbor))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="'neighbor' must be int64, got int32"):
        extend_nodes(torch.tensor([1]), torch.tensor([1], dtype=torch.int32))
    with pytest.raises(ValueError, match="'node' must be int64 or int32, got float32"):
        extend_nodes(torch.tensor([1.0]), torch.tensor([1]))
    with pytest.raises(ValueError, match="'node' must have 1 dimension"):
        extend_nodes(torch.tensor([[1]]), torch.tensor([1]))
