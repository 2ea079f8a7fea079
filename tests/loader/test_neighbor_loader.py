"""Mini-batches around nodes: what is in them, and that threads and ranks do not change a bit of it."""

import copy
import pickle
import threading
from itertools import islice

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric import loader as pyg
from torch_geometric.data import Data
from torch_geometric.loader import ZipLoader
from torch_geometric.nn import GraphSAGE
from torch_geometric.testing import MyFeatureStore, MyGraphStore
from torch_geometric.utils import k_hop_subgraph, trim_to_layer

from graphlab.loader import NeighborSampler
from graphlab.nn import SAGEConv
from graphlab.ops import batch_key, neighbor_sample, seed_permutation

from .graphs import CITES, all_same, check_rows, check_typed_rows, load, random_graph, same, typed_graph

MODES = {
    "plain": {},
    "shuffle": {"shuffle": True},
    "replace": {"replace": True},
    "disjoint": {"disjoint": True},
    "weights": {"weight_attr": "weight"},
    "node times": {"time_attr": "time"},
    "edge times": {"time_attr": "edge_time", "input_time": torch.arange(60) % 20},
    "last": {"time_attr": "time", "temporal_strategy": "last"},
    "induced": {"subgraph_type": "induced"},
    "drop last": {"drop_last": True},
}


@pytest.mark.parametrize("mode", MODES)
def test_batches_are_parts_of_the_graph(mode):
    data = random_graph()
    for batch in load(data, **MODES[mode]):
        check_rows(data, batch)
        assert batch.name == "a graph"
        assert torch.equal(batch.n_id[: batch.batch_size], batch.input_id)  # all nodes are inputs, in their order
        assert ("batch" in batch) == (mode in ("disjoint", "node times", "edge times", "last"))


@pytest.mark.parametrize("mode", MODES)
def test_threads_do_not_change_a_bit(mode):
    epochs = [[list(load(num_workers=n, **MODES[mode])) for n in (0, 1, 3)]]
    alone, one, three = epochs[0]
    assert all_same(alone, one)
    assert all_same(alone, three)


def test_fields_are_pygs():
    batch = next(iter(load(input_nodes=torch.tensor([5, 3, 50]), batch_size=2)))
    assert isinstance(batch, Data)
    assert batch.batch_size == 2
    assert batch.input_id.tolist() == [0, 1]
    assert batch.n_id[:2].tolist() == [5, 3]
    assert batch.num_nodes == batch.n_id.numel() == sum(batch.num_sampled_nodes)
    assert batch.num_edges == batch.e_id.numel() == sum(batch.num_sampled_edges)
    assert isinstance(load(), pyg.NeighborLoader)


def test_batch_is_what_the_ops_say():
    data = random_graph()
    loader = load(data, shuffle=True)
    for epoch in range(2):
        for number, batch in enumerate(loader):
            seeds = seed_permutation(60, 1, epoch, 16 * number, min(16 * number + 16, 60))
            graph = loader.node_sampler.graph
            key = batch_key(1, epoch, number)
            row, col, node, edge, *_ = neighbor_sample(
                graph.ptr[None], graph.neighbor[None], seeds, [3, 2], csc=True, key=key
            )
            assert torch.equal(batch.input_id, seeds)
            assert torch.equal(batch.n_id, node)
            assert torch.equal(batch.edge_index, torch.stack([row, col]))
            assert torch.equal(batch.e_id, graph.perm[None][edge])


def test_epochs_differ_and_can_be_chosen():
    loader = load(shuffle=True)
    first, second = list(loader), list(loader)
    assert loader.epoch == 2
    assert not same(first[0], second[0])
    assert sorted(torch.cat([batch.input_id for batch in second]).tolist()) == list(range(60))
    loader.set_epoch(0)
    assert all_same(first, loader)


def test_unshuffled_epochs_have_one_order_but_new_samples():
    loader = load()
    first, second = list(loader), list(loader)
    assert torch.equal(first[0].input_id, second[0].input_id)
    assert not torch.equal(first[0].e_id, second[0].e_id)


@settings(max_examples=20)
@given(seed=st.integers(-(2**63), 2**64 - 1), epoch=st.integers(0, 9), size=st.integers(1, 70), last=st.booleans())
def test_any_batch_can_be_made_alone(seed, epoch, size, last):
    loader = load(seed=seed, batch_size=size, drop_last=last, shuffle=True)
    loader.set_epoch(epoch)
    batches = list(loader)
    assert len(batches) == len(loader) == loader.num_batches == (60 // size if last else -(-60 // size))
    assert all_same(batches, [loader.batch(epoch, b) for b in range(len(batches))])


@settings(max_examples=20)
@given(world_size=st.integers(1, 7), size=st.integers(5, 61), threads=st.integers(0, 2))
def test_ranks_share_an_epoch(world_size, size, threads):
    whole = list(load(batch_size=size, shuffle=True))
    parts = [
        list(load(batch_size=size, shuffle=True, rank=r, world_size=world_size, num_workers=threads))
        for r in range(world_size)
    ]
    assert len({len(part) for part in parts}) == 1
    rounds = [batch for turn in zip(*parts, strict=True) for batch in turn]
    assert len(rounds) - len(whole) < world_size
    assert all_same(rounds, [whole[b % len(whole)] for b in range(len(rounds))])


@pytest.mark.parametrize("integer", [np.int64, np.uint8, np.int32])
def test_numbers_may_be_numpys(integer):
    one, two, four = (integer(n) for n in (1, 2, 4))
    options = {"seed": four, "batch_size": four, "num_workers": one, "prefetch_factor": two, "world_size": two}
    loader = load(num_neighbors=[two, two], rank=one, shuffle=True, **options)
    loader.set_epoch(four)
    plain = load(num_neighbors=[2, 2], rank=1, world_size=2, shuffle=True, seed=4, batch_size=4)
    plain.set_epoch(4)
    assert all_same(loader, plain)
    assert same(loader.batch(two, four), plain.batch(2, 4))


def test_seed_is_torchs_unless_given():
    torch.manual_seed(3)
    one, two = load(seed=None, shuffle=True), load(seed=None, shuffle=True)
    torch.manual_seed(3)
    again = load(seed=None, shuffle=True)
    assert again.seed == one.seed != two.seed
    assert all_same(one, again)
    generator = torch.Generator().manual_seed(0)
    assert load(seed=None, generator=generator).seed != load(seed=None, generator=generator).seed


def test_global_generators_are_left_alone():
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    state, legacy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    list(load(shuffle=True, num_workers=2))
    assert torch.equal(state, torch.get_rng_state())
    assert (legacy == np.random.get_state()[1]).all()  # noqa: NPY002


def test_whole_neighborhoods_are_the_k_hop_subgraph():
    data = random_graph()
    for batch in load(data, (-1, -1), shuffle=True):
        within, *_ = k_hop_subgraph(batch.input_id, 2, data.edge_index, num_nodes=60)
        assert set(batch.n_id.tolist()) == set(within.tolist())


def test_whole_neighborhoods_give_the_whole_graphs_outputs():
    data, model = random_graph(), GraphSAGE(3, 8, num_layers=2, out_channels=2)
    whole = model(data.x, data.edge_index)
    for batch in load(data, (-1, -1)):
        out = model(batch.x, batch.edge_index)[: batch.batch_size]
        assert torch.allclose(out, whole[batch.input_id], atol=1e-6)


def test_trimming_layer_by_layer_changes_nothing():
    data, convs = random_graph(), [SAGEConv(3, 3), SAGEConv(3, 3)]
    batch = next(iter(load(data)))
    x, edge_index, whole = batch.x, batch.edge_index, batch.x
    for layer, conv in enumerate(convs):
        whole = conv(whole, batch.edge_index)
        x, edge_index, _ = trim_to_layer(layer, batch.num_sampled_nodes, batch.num_sampled_edges, x, edge_index)
        x = conv(x, edge_index)
    assert x.size(0) < whole.size(0)
    assert torch.allclose(x[: batch.batch_size], whole[: batch.batch_size], atol=1e-6)


def test_inputs_may_be_a_mask_a_list_an_array_or_few():
    mask = torch.zeros(60, dtype=torch.bool)
    mask[[7, 3, 40]] = True
    ways = [torch.tensor([3, 7, 40]), [3, 7, 40], np.array([3, 7, 40]), torch.tensor([3, 7, 40], dtype=torch.int32)]
    batches = [next(iter(load(input_nodes=way))) for way in ways]
    masked = next(iter(load(input_nodes=mask)))
    assert all_same(batches, batches[:1] * 4)
    assert masked.input_id.tolist() == [3, 7, 40]  # a mask numbers nodes, as in PyG
    assert torch.equal(masked.edge_index, batches[0].edge_index)
    short = list(load(input_nodes=range(20), batch_size=16))
    assert [batch.batch_size for batch in short] == [16, 4]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("nodes", [[], torch.empty(0, dtype=torch.long), torch.zeros(60, dtype=torch.bool)])
def test_no_inputs(nodes, shuffle):
    loader = load(input_nodes=nodes, shuffle=shuffle, num_workers=1)
    assert len(loader) == 0
    assert list(loader) == []


def test_isolated_nodes_and_graphs_without_edges():
    batch = next(iter(load(input_nodes=[59, 58])))
    assert batch.n_id.tolist() == [59, 58]
    assert batch.num_sampled_nodes == [2, 0, 0]
    bare = Data(x=torch.arange(4.0).view(4, 1))
    assert [batch.n_id.tolist() for batch in load(bare, batch_size=3)] == [[0, 1, 2], [3]]


def test_input_nodes_may_come_twice():
    batch = next(iter(load(input_nodes=[4, 4, 9])))
    assert batch.n_id[:3].tolist() == [4, 4, 9]
    check_rows(random_graph(), batch)


@pytest.mark.parametrize("attr", ["time", "edge_time"])
def test_trees_know_no_future(attr):
    data, time = random_graph(), torch.arange(60) % 20
    for batch in load(data, time_attr=attr, input_time=time, shuffle=True, num_workers=2):
        assert torch.equal(batch.seed_time, time[batch.input_id])
        limit = batch.seed_time[batch.batch[batch.edge_index[1]]]
        when = batch.edge_time if attr == "edge_time" else batch.time[batch.edge_index[0]]
        assert (when <= limit).all()
        assert torch.equal(batch.batch[: batch.batch_size], torch.arange(batch.batch_size))
        assert torch.equal(*batch.batch[batch.edge_index])


def test_typed_batches():
    data = typed_graph()
    for batch in load(data, input_nodes="paper", batch_size=8, shuffle=True, num_workers=2):
        check_typed_rows(data, batch)
        assert torch.equal(batch["paper"].n_id[: batch["paper"].batch_size], batch["paper"].input_id)
        assert batch["venue"].n_id.numel() == 0
        assert sum(batch["author"].num_sampled_nodes) == batch["author"].n_id.numel()
        assert sum(batch[CITES].num_sampled_edges) == batch[CITES].e_id.numel()


@pytest.mark.parametrize(
    "options",
    [
        {"time_attr": "time"},
        {"time_attr": "since", "input_time": torch.arange(12)},
        {"weight_attr": "weight"},
        {"disjoint": True},
        {"subgraph_type": "induced"},
    ],
    ids=str,
)
def test_typed_modes(options):
    data = typed_graph()
    options = {"input_nodes": ("author", None), "batch_size": 5} | options
    alone, threads = (list(load(data, num_workers=n, **options)) for n in (0, 2))
    assert all_same(alone, threads)
    for batch in alone:
        check_typed_rows(data, batch)


def test_remote_stores():
    data, features, graph = random_graph(), MyFeatureStore(), MyGraphStore()
    features.put_tensor(data.x, group_name=None, attr_name="x", index=None)
    graph.put_edge_index(tuple(data.edge_index), edge_type=None, layout="coo", size=(60, 60))
    for ours, theirs in zip(load(data), load((features, graph)), strict=True):
        assert torch.equal(ours.n_id, theirs.n_id)
        assert torch.equal(ours.x, theirs.x)
        assert torch.equal(ours.edge_index, theirs.edge_index)
    typed = typed_graph()
    batch = next(iter(load((copy.copy(typed), copy.copy(typed)), input_nodes="paper")))
    assert torch.equal(batch["author"].x, typed["author"].x[batch["author"].n_id])


class OneThread(MyFeatureStore):
    """A store as most are: not to be asked by several threads."""

    def __init__(self) -> None:
        super().__init__()
        self.askers = set()

    def _get_tensor(self, attr):
        self.askers.add(threading.current_thread())
        return super()._get_tensor(attr)


@pytest.mark.parametrize("kind", [None, "paper"])
def test_remote_stores_are_asked_by_the_caller(kind):
    data, features, graph = random_graph(), OneThread(), MyGraphStore()
    features.put_tensor(data.x, group_name=kind, attr_name="x", index=None)
    edge_type = kind and CITES
    graph.put_edge_index(tuple(data.edge_index), edge_type=edge_type, layout="coo", size=(60, 60))
    options = {"input_nodes": kind, "num_workers": 3}
    list(load((features, graph), **options))
    assert features.askers == {threading.current_thread()}
    list(load((features, graph), filter_per_worker=True, **options))
    assert len(features.askers) > 1


def test_a_model_learns_in_one_epoch():
    torch.manual_seed(0)
    data = random_graph(400, 4000)
    data.label = (data.x[:, 0] > 0).long()
    model = GraphSAGE(3, 16, num_layers=2, out_channels=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for batch in load(data, (5, 5), batch_size=20, shuffle=True, num_workers=2):
        out = model(batch.x, batch.edge_index)[: batch.batch_size]
        loss = F.cross_entropy(out, batch.label[: batch.batch_size])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def drop_features(batch: Data) -> Data:
    batch.x = F.dropout(batch.x)
    return batch


def test_random_transforms_do_not_race():
    outs = []
    for threads in (0, 3):
        torch.manual_seed(0)
        outs.append(list(load(transform=drop_features, num_workers=threads, batch_size=5)))
    assert not load(transform=drop_features).filter_per_worker
    assert load().filter_per_worker
    assert all_same(*outs)


@pytest.mark.parametrize("per_worker", [False, True])
def test_transforms_are_called(per_worker):
    def halve(out):
        out.metadata = (out.metadata[0] * 2, out.metadata[1])
        return out

    def mark(batch):
        batch.thread = threading.current_thread().name
        return batch

    options = {"transform": mark, "transform_sampler_output": halve, "filter_per_worker": per_worker}
    batch = next(iter(load(num_workers=1, **options)))
    assert batch.input_id[:3].tolist() == [0, 2, 4]
    assert batch.thread.startswith("graphlab") == per_worker


def test_errors_in_threads_reach_the_caller():
    def refuse(batch):
        raise KeyError("no such thing")

    with pytest.raises(KeyError, match="no such thing"):
        next(iter(load(transform=refuse, filter_per_worker=True, num_workers=2)))


def test_leaving_early_leaves_no_threads():
    for batch in load(batch_size=1, num_workers=3):
        if batch.input_id[0] == 5:
            break
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("graphlab")]


def test_a_sampler_of_ours_may_be_given():
    sampler = NeighborSampler(random_graph(), [4], seed=9, labor=True)
    loader = load(neighbor_sampler=sampler, seed=None)
    assert loader.seed == 9
    assert next(iter(loader)).num_sampled_edges == [next(iter(loader)).num_edges]
    with pytest.raises(TypeError, match=r"'neighbor_sampler' must be a graphlab.loader.NeighborSampler, got object"):
        load(neighbor_sampler=object())


def test_what_concerns_processes_has_no_effect():
    words = {"persistent_workers": True, "multiprocessing_context": "spawn", "timeout": 3, "worker_init_fn": print}
    assert all_same(load(num_workers=1, pin_memory=False, **words), load())


def test_loader_is_called_with_positions_and_pickles():
    loader = load()
    assert same(loader([3, 4]), pickle.loads(pickle.dumps(loader))([3, 4]))
    assert loader([3, 4]).n_id[:2].tolist() == [3, 4]


def test_calls_are_of_the_loaders_seed_and_epoch():
    sampler = NeighborSampler(random_graph(), [3, 2], seed=1)
    loader, other = (load(neighbor_sampler=sampler, seed=seed) for seed in (1, 2))
    first = loader([3, 4])
    assert not same(first, loader([4, 3]))
    assert not torch.equal(first.e_id, other([3, 4]).e_id)
    loader.set_epoch(1)
    assert not torch.equal(first.e_id, loader([3, 4]).e_id)
    loader.set_epoch(0)
    assert same(first, loader(torch.tensor([3, 4])))
    assert loader([]).num_nodes == 0


@pytest.mark.parametrize("per_worker", [False, True])
def test_loaders_are_zipped(per_worker):
    def epoch(number: int) -> list:
        for loader in loaders:
            loader.set_epoch(number)
        return [batch for pair in zipped for batch in pair]

    loaders = [load(input_nodes=range(20)), load(typed_graph(), input_nodes="paper", seed=2)]
    zipped = ZipLoader(loaders, filter_per_worker=per_worker, batch_size=8)
    first, second = epoch(0), epoch(1)
    assert [batch.num_nodes > 8 for batch in first] == [True] * 6
    assert not any(same(one, other) for one, other in zip(first, second, strict=True))
    assert all_same(first, epoch(0))


def test_two_iterations_at_once_are_two_epochs():
    loader = load(num_workers=2)
    first, second = zip(*islice(zip(loader, loader, strict=True), 4), strict=True)
    loader.set_epoch(0)
    assert all_same(first, loader)
    assert all_same(second, loader)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_nodes": [60]}, r"'input_nodes' must lie in \[0, 60\), got 60 to 60"),
        ({"input_nodes": [-1, 3]}, r"'input_nodes' must lie in \[0, 60\), got -1 to 3"),
        ({"input_nodes": torch.ones(59, dtype=torch.bool)}, "'input_nodes' must be a mask of 60 nodes, got one of 59"),
        ({"input_nodes": torch.ones(3)}, "'input_nodes' must be a list of nodes or a mask, got torch.float32"),
        ({"input_time": torch.zeros(60).long()}, "'input_time'"),
        ({"input_time": torch.zeros(59).long(), "time_attr": "time"}, "'input_time' must have 60 integers"),
        ({"input_time": torch.zeros(60), "time_attr": "time"}, "'input_time' must have 60 integers, got torch.float32"),
        ({"time_attr": "edge_time"}, "'input_time' must be given"),
        ({"time_attr": "when"}, "'time_attr' .* got 'when'"),
        ({"num_neighbors": [3, None]}, "'num_neighbors' must hold integers"),
        ({"batch_size": 0}, "'batch_size' must be an integer from 1 on, got 0"),
        ({"batch_size": None, "sampler": [1, 2]}, "'batch_size' must be an integer from 1 on, got None"),
        ({"batch_size": np.float64(2)}, "'batch_size' must be an integer from 1 on, got "),
        ({"seed": np.float64(2)}, "'seed' must be an integer of 64 bits or None, got "),
        ({"num_neighbors": [np.float64(2)]}, "'num_neighbors' must hold integers"),
        ({"num_workers": -1}, "'num_workers' must be an integer from 0 on, got -1"),
        ({"prefetch_factor": 0}, "'prefetch_factor' must be an integer from 1 on, got 0"),
        ({"rank": 2, "world_size": 2}, r"'rank' must be an integer in \[0, 2\), got 2"),
        ({"world_size": 2, "seed": None}, "'seed' must be given, the same one on all ranks"),
    ],
)
def test_errors_name_the_argument(options, said):
    with pytest.raises(ValueError, match=said):
        load(**options)


@pytest.mark.parametrize("inputs", [None, "book", ("book", None), torch.tensor([1])], ids=str)
def test_typed_inputs_need_a_type(inputs):
    data = typed_graph()
    with pytest.raises(ValueError, match="'input_nodes' must name one of the node types 'paper', 'author', 'venue'"):
        load(data, input_nodes=inputs)
    assert data.node_types == ["paper", "author", "venue"]


def test_batches_are_counted_from_0():
    with pytest.raises(IndexError, match=r"'index' must lie in \[0, 4\), got 4"):
        load().batch(0, 4)
    with pytest.raises(ValueError, match="'epoch' must be an integer from 0 on, got -1"):
        load().set_epoch(-1)
