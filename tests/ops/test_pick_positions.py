import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import batch_key, extend_nodes, kernels, neighbor_sample, pick_positions, use_backend
from graphlab.ops.counter_rng import signed
from tests.ops.sampling import BACKENDS, compressed, cycle, fanouts, graphs, keys, same

backends = pytest.mark.parametrize("backend", BACKENDS)
compiled = pytest.mark.skipif(bool(kernels.missing("_C")), reason="nothing is compiled")


def streamed(graph, seed, num_neighbors, key, replace):
    """A sampler that reads neighbours only after all of a hop's positions are known."""
    node, begin, row, col, edge = seed, 0, [seed[:0]], [seed[:0]], [seed[:0]]
    for hop, k in enumerate(num_neighbors):
        frontier = node[begin:]
        position, ptr = pick_positions(
            graph.rowptr, frontier, torch.full((len(frontier),), signed(key)), hop, k, replace=replace
        )
        local, added = extend_nodes(node, graph.col[position.long()])
        row.append(local)
        col.append(torch.repeat_interleave(torch.arange(begin, len(node), dtype=seed.dtype), ptr.diff()))
        edge.append(position)
        node, begin = torch.cat([node, added]), len(node)
    return torch.cat(row), torch.cat(col), node, torch.cat(edge)


@backends
@given(st.data(), graphs(), fanouts, keys, st.booleans())
def test_streaming_the_topology_gives_the_same_bits(backend, data, graph, num_neighbors, key, replace):
    seed = torch.tensor(data.draw(st.lists(st.integers(0, graph.nodes - 1), max_size=8)), dtype=graph.col.dtype)
    with use_backend(backend):
        got = streamed(graph, seed, num_neighbors, key, replace)
    whole = neighbor_sample(graph.rowptr, graph.col, seed, num_neighbors, key=key, replace=replace, csc=True)
    assert same(got, whole[:4])


@given(graphs(), st.sampled_from([-1, 0, 1, 3, 40]), st.integers(0, 63), st.booleans(), keys)
def test_kernel_and_reference_give_the_same_bits(graph, k, hop, replace, key):
    node = torch.arange(graph.nodes, dtype=graph.rowptr.dtype).flip(0)
    key = torch.arange(graph.nodes) * 3 + signed(key) // 4
    got = pick_positions(graph.rowptr, node, key, hop, k, replace=replace)
    with use_backend("ref"):
        assert same(got, pick_positions(graph.rowptr, node, key, hop, k, replace=replace))


def test_frontiers_of_many_batches_go_in_one_call_on_any_number_of_threads():
    graph = compressed(torch.arange(3000) % 90, 3000, torch.int64, 2)
    node, batch = torch.arange(3000).repeat(4), torch.arange(4).repeat_interleave(3000)
    key = torch.tensor([signed(batch_key(0, 0, b)) for b in range(4)])[batch]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        position, ptr = pick_positions(graph.rowptr, node, key, 1, 7)
        torch.set_num_threads(1)
        assert same((position, ptr), pick_positions(graph.rowptr, node, key, 1, 7))
    finally:
        torch.set_num_threads(before)
    for b in range(4):
        alone, _ = pick_positions(graph.rowptr, node[batch == b], key[batch == b], 1, 7)
        assert position[ptr[3000 * b] : ptr[3000 * (b + 1)]].equal(alone)
    different = pick_positions(graph.rowptr, node[:3000], key[:3000], 0, 7)[0]
    assert not different.equal(position[: ptr[3000]])


def test_rows_that_are_not_asked_for_may_hold_anything():
    rowptr = torch.tensor([-5, 99, 3, 8, -1])
    for backend in BACKENDS:
        with use_backend(backend):
            assert pick_positions(rowptr, torch.tensor([2]), torch.tensor([0]), 0, -1)[0].tolist() == [3, 4, 5, 6, 7]


@backends
def test_bounds_of_which_many_draws_are_rejected(backend):
    """One of four draws below 3 * 2^61 would favour some results."""
    rowptr, node = torch.tensor([0, 3 * 2**61, 3 * 2**61 + 2**60 + 1]), torch.tensor([0, 1]).repeat(50)
    for replace in (False, True):
        with use_backend(backend):
            position, _ = pick_positions(rowptr, node, torch.arange(100), 0, 4, replace=replace)
        with use_backend("ref"):
            assert position.equal(pick_positions(rowptr, node, torch.arange(100), 0, 4, replace=replace)[0])
        thirds = torch.bincount(position.view(-1, 8)[:, :4].ravel() // 2**61, minlength=3)
        assert thirds.sum() == 200 and thirds.min() > 40


@compiled
@pytest.mark.parametrize("degree", [2**62, 2**63 - 1])
def test_an_impossible_degree_does_not_end_the_process(degree):
    """Nor does it in other threads, out of which exceptions lose their words."""
    rowptr, node, before = torch.tensor([0, degree]), torch.zeros(3000, dtype=torch.int64), torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for some in (node[:1], node):
                with pytest.raises(RuntimeError, match="'rowptr' tells of a node with so many edges"):
                    torch.ops.graphlab.pick_positions(rowptr, some, some, 0, 100, False)
    finally:
        torch.set_num_threads(before)


@backends
@pytest.mark.parametrize(("degree", "nodes"), [(2**62, 1), (2**62, 4), (2**63 - 1, 3), (2**56, 200)])
def test_more_picks_than_there_are_addresses_are_refused(backend, degree, nodes):
    """Their number does not fit into 64 bits."""
    rowptr, node = torch.tensor([0, degree]), torch.zeros(nodes, dtype=torch.int64)
    said = f"'rowptr' and 'num_neighbors' ask for too many picks: node 0 has {degree} edges"
    with use_backend(backend), pytest.raises((ValueError, RuntimeError), match=said):
        pick_positions(rowptr, node, node, 0, -1)


@compiled
def test_more_picks_than_there_is_memory_for_are_told():
    node = torch.zeros(1, dtype=torch.int64)
    with pytest.raises(RuntimeError, match=f"ask for too many picks: there is no memory for {2**56}"):
        pick_positions(torch.tensor([0, 2**56]), node, node, 0, -1)


WRONG = {
    "node outside": (dict(node=torch.tensor([6, 0])), r"'node' must lie in \[0, 6\)"),
    "node negative": (dict(node=torch.tensor([-1, 0])), r"'node' must lie in \[0, 6\)"),
    "keys missing": (dict(key=torch.tensor([1])), "'key' must have 2 entries, got 1"),
    "int32 keys": (dict(key=torch.tensor([1, 2]).int()), "'key' must be int64"),
    "hop": (dict(hop=64), r"'hop' must lie in \[0, 64\), got 64"),
    "k": (dict(num_neighbors=-2), "'num_neighbors' must hold integers from -1"),
    "rowptr decreases": (dict(rowptr=torch.tensor([0, 2, 4, 3, 8, 10, 12])), "'rowptr' must not decrease"),
    "rowptr negative": (
        dict(rowptr=torch.tensor([0, 2, -4, 3, 8, 10, 12])),
        "'rowptr' must not decrease nor be negative",
    ),
}


@backends
@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(backend, name):
    changes, message = WRONG[name]
    arguments = {"rowptr": cycle(6).rowptr, "node": torch.tensor([2, 1]), "key": torch.tensor([1, 2])}
    arguments |= {"hop": 0, "num_neighbors": 2}
    with use_backend(backend), pytest.raises((ValueError, RuntimeError), match=message):
        pick_positions(**(arguments | changes))
