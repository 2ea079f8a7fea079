"""The sampler behind PyG's interface: its results are right, and functions of the batch alone."""

import copy
import pickle
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric import loader as pyg
from torch_geometric.data import Data, HeteroData
from torch_geometric.index import index2ptr
from torch_geometric.sampler import EdgeSamplerInput, NegativeSampling, NodeSamplerInput, NumNeighbors
from torch_geometric.sampler import NeighborSampler as PyGNeighborSampler
from torch_geometric.testing import MyFeatureStore, MyGraphStore
from torch_geometric.utils import k_hop_subgraph, subgraph, to_undirected

from graphlab.loader import NeighborSampler
from graphlab.loader.seeds import seed_hash

from .graphs import CITES, WRITES, WRITTEN, check_rows, check_typed_rows, random_graph, same, typed_graph

CYCLE = Data(
    edge_index=torch.tensor([[5, 1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 0], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]]), num_nodes=6
)


def nodes(*ids: int, time: list[int] | None = None, kind: str | None = None) -> NodeSamplerInput:
    return NodeSamplerInput(None, torch.tensor(ids), None if time is None else torch.tensor(time), kind)


def sampled_edges(out) -> torch.Tensor:
    return torch.stack([out.node[out.row], out.node[out.col]])


def test_cycle_hop_by_hop():
    out = NeighborSampler(CYCLE, [-1, -1]).sample_from_nodes(nodes(2, 3))
    assert out.node.tolist() == [2, 3, 1, 4, 0, 5]
    assert out.row.tolist() == [2, 1, 0, 3, 4, 0, 1, 5]
    assert out.col.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert out.num_sampled_nodes == [2, 2, 2]
    assert out.num_sampled_edges == [4, 4]


def test_seeds_that_are_equal_stay_apart():
    out = NeighborSampler(CYCLE, [-1]).sample_from_nodes(nodes(2, 2))
    assert out.node.tolist() == [2, 2, 1, 3]
    assert out.col.tolist() == [0, 0, 1, 1]
    assert out.row.tolist() == [2, 3, 2, 3]


def test_is_a_sampler_of_pyg_without_a_word(recwarn):
    assert isinstance(NeighborSampler(CYCLE, [1]), PyGNeighborSampler)
    assert not recwarn.list


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), hops=st.integers(0, 3), start=st.lists(st.integers(0, 39), min_size=1, max_size=5))
def test_whole_neighborhoods_are_the_k_hop_subgraph(seed, hops, start):
    data = random_graph(40, 60, seed)
    out = NeighborSampler(data, [-1] * hops).sample_from_nodes(nodes(*start))
    within, *_ = k_hop_subgraph(start, hops, data.edge_index, num_nodes=40)
    assert set(out.node.tolist()) == set(within.tolist())


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**64 - 1),
    fanouts=st.lists(st.integers(-1, 6), max_size=3),
    start=st.lists(st.integers(0, 59), max_size=8),
    replace=st.booleans(),
    disjoint=st.booleans(),
)
def test_samples_are_parts_of_the_graph(seed, fanouts, start, replace, disjoint):
    data = random_graph()
    sampler = NeighborSampler(data, fanouts, replace=replace, disjoint=disjoint, seed=seed)
    out = sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor(start, dtype=torch.long)))
    assert out.node[: len(start)].tolist() == start
    assert torch.equal(sampled_edges(out), data.edge_index[:, sampler.edge_permutation[out.edge]])
    assert sum(out.num_sampled_nodes) == out.node.numel()
    assert sum(out.num_sampled_edges) == out.edge.numel()
    if not replace:
        assert len(set(zip(out.col.tolist(), out.edge.tolist(), strict=True))) == out.edge.numel()
    degree = torch.bincount(data.edge_index[1], minlength=60)
    begin = hop_edges = 0
    for hop, k in enumerate(fanouts):
        frontier = out.node[begin : begin + out.num_sampled_nodes[hop]]
        reach = degree[frontier]
        expected = reach if k < 0 else torch.full_like(reach, k) * (reach > 0) if replace else reach.clamp(max=k)
        got = torch.bincount(out.col[hop_edges : hop_edges + out.num_sampled_edges[hop]], minlength=out.node.numel())
        assert torch.equal(got[begin : begin + frontier.numel()], expected)
        begin, hop_edges = begin + frontier.numel(), hop_edges + out.num_sampled_edges[hop]


def test_trees_of_disjoint_samples_do_not_touch():
    out = NeighborSampler(random_graph(), [3, 3], disjoint=True).sample_from_nodes(nodes(0, 1, 1, 2))
    assert out.batch[:4].tolist() == [0, 1, 2, 3]
    assert torch.equal(out.batch[out.row], out.batch[out.col])


def test_samples_are_functions_of_seed_epoch_and_nodes():
    data = random_graph()
    sampler = NeighborSampler(data, [2, 2], seed=5)
    first, other = sampler.sample_from_nodes(nodes(1, 2, 3)), sampler.sample_from_nodes(nodes(3, 2, 1))
    again = copy.deepcopy(sampler).sample_from_nodes(nodes(1, 2, 3))
    assert torch.equal(first.edge, again.edge)
    assert not torch.equal(first.edge, other.edge)
    sampler.set_epoch(1)
    assert not torch.equal(first.edge, sampler.sample_from_nodes(nodes(1, 2, 3)).edge)
    sampler.set_epoch(0)
    assert torch.equal(first.edge, sampler.sample_from_nodes(nodes(1, 2, 3)).edge)


def test_seed_comes_from_torch_unless_given():
    torch.manual_seed(7)
    one, two = NeighborSampler(CYCLE, [1]).seed, NeighborSampler(CYCLE, [1]).seed
    torch.manual_seed(7)
    assert NeighborSampler(CYCLE, [1]).seed == one != two
    assert NeighborSampler(CYCLE, [1], seed=2**64 - 1).seed == 2**64 - 1


def test_hash_tells_order_number_and_types():
    a, b = torch.tensor([1, 2]), torch.tensor([2, 1])
    hashes = [seed_hash(s) for s in (a, b, a[:1], a[:0], torch.tensor([0]), {"x": a, "y": b}, {"x": b, "y": a})]
    assert len(set(hashes)) == 7
    assert seed_hash(a) == seed_hash(a.clone())


def test_backward_is_forward_on_the_reversed_graph():
    data = random_graph()
    reverse = data.clone()
    reverse.edge_index = data.edge_index.flip(0)
    out = NeighborSampler(data, [3, 2], seed=1, sample_direction="backward").sample_from_nodes(nodes(4, 5))
    twin = NeighborSampler(reverse, [3, 2], seed=1).sample_from_nodes(nodes(4, 5))
    for one, other in ((out.node, twin.node), (out.row, twin.col), (out.col, twin.row), (out.edge, twin.edge)):
        assert torch.equal(one, other)


def test_induced_is_the_subgraph_of_the_sampled_nodes():
    data = random_graph()
    sampler = NeighborSampler(data, [2, 2], "induced")
    out = sampler.sample_from_nodes(nodes(0, 9))
    edges, _ = subgraph(out.node, data.edge_index)
    assert sorted(sampled_edges(out).t().tolist()) == sorted(edges.t().tolist())
    assert out.num_sampled_nodes is None


def test_bidirectional_adds_the_reverses():
    data = random_graph()
    both = NeighborSampler(data, [2, 2], "bidirectional", seed=3).sample_from_nodes(nodes(0, 9))
    one = NeighborSampler(data, [2, 2], seed=3).sample_from_nodes(nodes(0, 9))
    expected = to_undirected(torch.stack([one.row, one.col]))
    assert sorted(torch.stack([both.row, both.col]).t().tolist()) == sorted(expected.t().tolist())


def test_weights_decide_who_is_drawn():
    star = Data(edge_index=torch.tensor([[1, 2, 3], [0, 0, 0]]), num_nodes=4, w=torch.tensor([1.0, 0.0, 3.0]))
    sampler = NeighborSampler(star, [1], weight_attr="w", seed=0)
    counts = torch.zeros(4)
    for epoch in range(1000):
        sampler.set_epoch(epoch)
        counts[sampler.sample_from_nodes(nodes(0)).node[1]] += 1
    assert counts[2] == 0
    assert 690 < counts[3] < 810  # 4 standard deviations around 750


def test_labor_has_fewer_nodes():
    data = random_graph(400, 8000)
    plain, labor = (
        NeighborSampler(data, [5], labor=flag, seed=0).sample_from_nodes(nodes(*range(60))) for flag in (False, True)
    )
    assert plain.edge.numel() == labor.edge.numel()
    assert labor.node.numel() < plain.node.numel()


@pytest.mark.parametrize("strategy", ["uniform", "last"])
@pytest.mark.parametrize("attr", ["time", "edge_time"])
def test_nothing_comes_from_the_future(attr, strategy):
    data = random_graph()
    sampler = NeighborSampler(data, [3, 3], time_attr=attr, temporal_strategy=strategy)
    start = NodeSamplerInput(None, torch.arange(60), torch.arange(60) % 20)
    out = sampler.sample_from_nodes(start)
    limit = start.time[out.batch[out.col]]
    time = data.edge_time[sampler.edge_permutation[out.edge]] if attr == "edge_time" else data.time[out.node[out.row]]
    assert out.edge.numel() > 60
    assert (time <= limit).all()


def test_last_takes_the_most_recent():
    star = Data(edge_index=torch.tensor([[1, 2, 3, 4], [0] * 4]), num_nodes=5, time=torch.tensor([9, 3, 1, 7, 2]))
    sampler = NeighborSampler(star, [2], time_attr="time", temporal_strategy="last")
    assert set(sampler.sample_from_nodes(nodes(0, time=[5])).node.tolist()) == {0, 1, 4}


def test_nodes_bring_their_own_times():
    data = random_graph()
    sampler = NeighborSampler(data, [3], time_attr="time", seed=0)
    own = sampler.sample_from_nodes(nodes(3, 4))
    given = sampler.sample_from_nodes(nodes(3, 4, time=data.time[[3, 4]].tolist()))
    assert torch.equal(own.edge, given.edge)


def test_typed_samples_and_every_way_to_say_how_many():
    data = typed_graph()
    ways = [
        [2, 2],
        {CITES: [2, 2], WRITES: [2, 2], WRITTEN: [2, 2]},
        {"__".join(kind): [2, 2] for kind in (CITES, WRITES, WRITTEN)},
        NumNeighbors({CITES: [2, 2]}, default=[2, 2]),
    ]
    outs = [NeighborSampler(data, way, seed=0).sample_from_nodes(nodes(0, 1, kind="paper")) for way in ways]
    assert all(torch.equal(outs[0].edge[kind], out.edge[kind]) for out in outs for kind in out.edge)
    assert outs[0].num_sampled_nodes["paper"][0] == 2
    assert set(outs[0].num_sampled_edges) == {CITES, WRITES, WRITTEN}
    none = NeighborSampler(data, {}).sample_from_nodes(nodes(0, 1, kind="paper"))
    assert none.node["paper"].tolist() == [0, 1]


def test_typed_backward_keeps_the_names_of_edge_types():
    data = typed_graph()
    sampler = NeighborSampler(
        data, {CITES: [2], WRITES: [2], WRITTEN: [2]}, sample_direction="backward", weight_attr="weight"
    )
    out = sampler.sample_from_nodes(nodes(0, 1, kind="paper"))
    assert out.row[WRITTEN].numel() > 0
    assert out.row[WRITES].numel() == 0  # these end at papers
    for kind in out.row:
        ends = torch.stack([out.node[kind[0]][out.row[kind]], out.node[kind[2]][out.col[kind]]])
        assert torch.equal(ends, data[kind].edge_index[:, sampler.edge_permutation[kind][out.edge[kind]]])


@pytest.mark.parametrize("attr", ["time", "since"])
def test_typed_samples_keep_to_the_past(attr):
    data = typed_graph()
    sampler = NeighborSampler(data, [3, 3], time_attr=attr)
    out = sampler.sample_from_nodes(NodeSamplerInput(None, torch.arange(30), torch.arange(30) % 20, "paper"))
    for kind in out.row:
        limit = (torch.arange(30) % 20)[out.batch[kind[2]][out.col[kind]]]
        edge = sampler.edge_permutation[kind][out.edge[kind]]
        source = out.node[kind[0]][out.row[kind]]
        assert ((data[kind].since[edge] if attr == "since" else data[kind[0]].time[source]) <= limit).all()


def remote(data: Data | HeteroData) -> tuple:
    return copy.copy(data), copy.copy(data)


def test_remote_stores_give_the_same_samples():
    data = random_graph()
    for options in ({}, {"time_attr": "time"}, {"sample_direction": "backward"}):
        here, there = (NeighborSampler(graph, [2, 2], seed=0, **options) for graph in (data, remote(data)))
        one, other = here.sample_from_nodes(nodes(0, 1)), there.sample_from_nodes(nodes(0, 1))
        assert torch.equal(one.edge, other.edge)
        assert torch.equal(one.node, other.node)


@pytest.mark.parametrize(
    ("size", "rows", "number"),
    [
        ((60, 60), {}, 60),
        ((60, None), {}, 60),
        ((None, 60), {}, 60),
        ((None, None), {}, 54),
        (None, {}, 54),
        (None, {"x": 60}, 60),
        (None, {"edge_time": 240, "x": 60}, 60),  # PyG's stores have times of edges beside the nodes' values
        (None, {"x": 240}, 240),  # as many nodes as edges
        ((60, 60), {"x": 61}, 60),
        ((None, None), {"x": 60}, 60),
    ],
)
def test_remote_stores_tell_how_many_nodes_there_are(size, rows, number):
    features, graph = MyFeatureStore(), MyGraphStore()
    edge_index = random_graph().edge_index  # up to node 53
    graph.put_edge_index(tuple(edge_index), edge_type=None, layout="coo", size=size)
    for name, count in rows.items():
        features.put_tensor(torch.zeros(count), group_name=None, attr_name=name, index=None)
    assert NeighborSampler((features, graph), [1]).num_nodes == number


@pytest.mark.parametrize(("attr", "direction"), [(None, "forward"), (None, "backward"), ("time", "forward")])
def test_remote_typed_stores_are_sampled(attr, direction):
    data = typed_graph()
    sampler = NeighborSampler(remote(data), [2, 2], seed=0, time_attr=attr, sample_direction=direction)
    assert sampler.edge_types == sorted(data.edge_types)
    time = None if attr is None else [10, 10]
    out = sampler.sample_from_nodes(nodes(0, 1, time=time, kind="paper"))
    assert sum(edge.numel() for edge in out.edge.values()) > 0
    for kind in out.row:
        ends = torch.stack([out.node[kind[0]][out.row[kind]], out.node[kind[2]][out.col[kind]]])
        assert torch.equal(ends, data[kind].edge_index[:, sampler.edge_permutation[kind][out.edge[kind]]])


@pytest.mark.parametrize("layout", ["coo", "csc", "csr"])
def test_remote_stores_may_hold_any_layout_and_times_of_edges(layout):
    data, features, graph = random_graph(), MyFeatureStore(), MyGraphStore()
    (row, col), edge_time = data.edge_index, data.edge_time
    if layout != "coo":
        order = (row if layout == "csr" else col).argsort(stable=True)
        row, col, edge_time = row[order], col[order], edge_time[order]
    edges = torch.stack([row, col])
    row, col = index2ptr(row, 60) if layout == "csr" else row, index2ptr(col, 60) if layout == "csc" else col
    graph.put_edge_index((row, col), edge_type=None, layout=layout, size=(60, 60))
    features.put_tensor(edge_time, group_name=None, attr_name="edge_time", index=None)
    sampler = NeighborSampler((features, graph), [3, 3], time_attr="edge_time")
    out = sampler.sample_from_nodes(NodeSamplerInput(None, torch.arange(60), torch.full((60,), 10)))
    edge = sampler.edge_permutation[out.edge]
    assert torch.equal(sampled_edges(out), edges[:, edge])
    assert (edge_time[edge] <= 10).all()
    assert out.edge.numel() > 60


def test_trees_of_edges_belong_to_their_example():
    data, number = random_graph(), 5
    sampler = NeighborSampler(data, [2], disjoint=True)
    inputs = EdgeSamplerInput(torch.arange(number), *data.edge_index[:, :number])
    pairs = sampler.sample_from_edges(inputs, NegativeSampling("binary", 0.5)).batch
    assert pairs[:16].tolist() == [0, 1, 2, 3, 4, 0, 1, 2] * 2
    triples = sampler.sample_from_edges(inputs, NegativeSampling("triplet", 2)).batch
    assert triples[:20].tolist() == [0, 1, 2, 3, 4] * 4


def test_trees_of_typed_edges_belong_to_their_example():
    data = typed_graph()
    sampler = NeighborSampler(data, [2], disjoint=True)
    inputs = EdgeSamplerInput(torch.arange(4), *data[WRITES].edge_index[:, :4], input_type=WRITES)
    out = sampler.sample_from_edges(inputs, NegativeSampling("triplet", 2))
    assert out.batch["author"][:4].tolist() == [0, 1, 2, 3]
    assert out.batch["paper"][:12].tolist() == [0, 1, 2, 3] * 3
    pairs = sampler.sample_from_edges(inputs, NegativeSampling("binary", 0.5)).batch
    assert pairs["author"][:6].tolist() == pairs["paper"][:6].tolist() == [0, 1, 2, 3, 0, 1]


LOADERS = {
    "NeighborLoader": lambda data, sampler, **k: pyg.NeighborLoader(data, [2, 2], neighbor_sampler=sampler, **k),
    "NodeLoader": lambda data, sampler, **k: pyg.NodeLoader(data, sampler, **k),
    "LinkLoader": lambda data, sampler, **k: pyg.LinkLoader(data, sampler, neg_sampling="binary", **k),
    "LinkNeighborLoader": lambda data, sampler, **k: pyg.LinkNeighborLoader(
        data, [2, 2], neighbor_sampler=sampler, neg_sampling="triplet", **k
    ),
}


@pytest.mark.parametrize("name", LOADERS)
def test_pygs_loaders_take_it_with_any_number_of_processes(name):
    data = random_graph()
    sampler = NeighborSampler(data, [2, 2], seed=0)
    alone, forked = (list(LOADERS[name](data, sampler, batch_size=25, num_workers=n)) for n in (0, 2))
    assert len(alone) == len(forked) > 2
    for one, other in zip(alone, forked, strict=True):
        check_rows(data, one)
        assert same(one, other)


def test_pygs_loader_takes_typed_graphs():
    data = typed_graph()
    loader = pyg.NeighborLoader(data, [2, 2], "paper", neighbor_sampler=NeighborSampler(data, [2, 2]), batch_size=10)
    for batch in loader:
        check_typed_rows(data, batch)


COPIES = {"itself": lambda s: s, "pickled": lambda s: pickle.loads(pickle.dumps(s)), "copied": copy.deepcopy}


@pytest.mark.parametrize("way", COPIES)
def test_workers_that_live_on_hear_of_epochs(way):
    data = random_graph()
    sampler = COPIES[way](NeighborSampler(data, [2, 2], seed=0))
    loader = LOADERS["NodeLoader"](data, sampler, batch_size=30, num_workers=1, persistent_workers=True)
    first = list(loader)
    sampler.set_epoch(1)
    second = list(loader)
    sampler.set_epoch(0)
    third = list(loader)
    assert not same(first[0], second[0])
    assert same(first[0], third[0])
    loader._iterator._shutdown_workers()  # a collector that finds them later waits for seconds


@pytest.mark.slow
def test_spawned_workers_give_the_same_batches():
    data = random_graph()
    sampler = NeighborSampler(data, [2, 2], seed=0, share_memory=True)
    options = {"num_workers": 1, "multiprocessing_context": "spawn"}
    alone, spawned = (list(LOADERS["NodeLoader"](data, sampler, batch_size=30, **k)) for k in ({}, options))
    assert all(same(one, other) for one, other in zip(alone, spawned, strict=True))


@pytest.mark.parametrize("way", ["pickled", "copied"])
def test_copies_of_samplers_go_on_alone(way):
    sampler = NeighborSampler(random_graph(), [2, 2], seed=4)
    sampler.set_epoch(3)
    twin = COPIES[way](sampler)
    before = sampler.sample_from_nodes(nodes(1, 2, 3)).edge
    assert torch.equal(before, twin.sample_from_nodes(nodes(1, 2, 3)).edge)
    twin.set_epoch(4)
    assert torch.equal(before, sampler.sample_from_nodes(nodes(1, 2, 3)).edge)
    assert not torch.equal(before, twin.sample_from_nodes(nodes(1, 2, 3)).edge)


def test_the_number_of_neighbors_may_change():
    sampler = NeighborSampler(CYCLE, [1])
    sampler.num_neighbors = [-1, -1]
    assert sampler.num_neighbors.num_hops == 2
    assert sampler.sample_from_nodes(nodes(2, 3)).node.numel() == 6


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"num_neighbors": 5}, ValueError, "'num_neighbors' must be a list"),
        ({"num_neighbors": [2, -2]}, ValueError, "'num_neighbors' must hold integers from -1 .* got -2"),
        ({"num_neighbors": [2.5]}, ValueError, "'num_neighbors' must hold integers .* got 2.5"),
        ({"num_neighbors": {CITES: [1]}}, ValueError, "'num_neighbors' must be a list for a graph without edge types"),
        ({"subgraph_type": "upward"}, ValueError, "'subgraph_type' must be one of 'directional', .* got 'upward'"),
        ({"temporal_strategy": "first"}, ValueError, "'temporal_strategy' must be one of 'uniform', 'last'"),
        ({"temporal_strategy": "last"}, ValueError, "'temporal_strategy' is 'last', which needs 'time_attr'"),
        ({"sample_direction": "up"}, ValueError, "'sample_direction' must be one of"),
        ({"sample_direction": "backward", "time_attr": "time"}, NotImplementedError, "'time_attr'"),
        ({"time_attr": "when"}, ValueError, "'time_attr' .* got 'when'"),
        ({"weight_attr": "heavy"}, ValueError, "'weight_attr' .* got 'heavy'"),
        ({"seed": 1.5}, ValueError, "'seed' must be an integer of 64 bits or None, got 1.5"),
        ({"seed": 2**64}, ValueError, "'seed'"),
        ({"data": "graph"}, ValueError, "'data' must be a Data"),
    ],
)
def test_errors_name_the_argument(options, error, said):
    with pytest.raises(error, match=said):
        NeighborSampler(**{"data": random_graph(), "num_neighbors": [2]} | options)


@pytest.mark.parametrize(
    ("num_neighbors", "said"),
    [
        ({CITES: [1]}, "'num_neighbors' must have all edge types, got none for"),
        ({("a", "b", "c"): [1]}, "'num_neighbors' names .*, which is none of the edge types"),
        ({CITES: [1], WRITES: [1, 1], WRITTEN: [1]}, "'num_neighbors' must have as many hops"),
    ],
)
def test_errors_of_typed_numbers(num_neighbors, said):
    with pytest.raises(ValueError, match=said):
        NeighborSampler(typed_graph(), num_neighbors)


def test_edge_types_of_one_name_are_refused():
    data = HeteroData()
    for kind in ("a", "a_", "d"):
        data[kind].num_nodes = 2
    for kind in (("a", "_b", "d"), ("a_", "b", "d")):
        data[kind].edge_index = torch.zeros(2, 1, dtype=torch.long)
    with pytest.raises(ValueError, match=r"'data' .* \('a', '_b', 'd'\) and \('a_', 'b', 'd'\), .* 'a___b__d'"):
        NeighborSampler(data, [1])
    out = NeighborSampler(data, [1], sample_direction="backward").sample_from_nodes(nodes(0, kind="a"))
    assert {kind: row.tolist() for kind, row in out.row.items()} == {("a", "_b", "d"): [0], ("a_", "b", "d"): []}


def test_what_does_not_go_with_types_or_stores_is_said():
    with pytest.raises(ValueError, match="'labor' needs a homogeneous graph"):
        NeighborSampler(typed_graph(), [1], labor=True)
    with pytest.raises(NotImplementedError, match="'weight_attr' needs a Data"):
        NeighborSampler(remote(random_graph()), [1], weight_attr="weight")


def test_directed_is_deprecated_but_heard():
    with pytest.warns(UserWarning, match="subgraph_type='induced'"):
        sampler = NeighborSampler(CYCLE, [1], directed=False)
    assert sampler.subgraph_type.value == "induced"


def test_no_warning_goes_unseen():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("directional", "bidirectional", "induced"):
            NeighborSampler(CYCLE, [1], kind)
