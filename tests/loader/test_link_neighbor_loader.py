"""Mini-batches around edges: which edges, which negatives, and that threads do not change a bit."""

import pytest
import torch
from scipy.stats import chisquare
from torch_geometric import loader as pyg
from torch_geometric.data import HeteroData
from torch_geometric.sampler import NegativeSampling

from graphlab.loader import LinkNeighborLoader, NeighborSampler

from .graphs import CITES, WRITES, check_rows, check_typed_rows, random_graph, same, typed_graph

TIME = torch.arange(240) % 20


def load(data=None, **options) -> LinkNeighborLoader:
    options = {"batch_size": 30, "seed": 1} | options
    return LinkNeighborLoader(random_graph() if data is None else data, [3, 2], **options)


MODES = {
    "no negatives": {},
    "labels": {"edge_label": torch.arange(240) % 3},
    "binary": {"neg_sampling": "binary", "shuffle": True},
    "few": {"neg_sampling": {"mode": "binary", "amount": 0.5}},
    "ratio": {"neg_sampling_ratio": 2.0},
    "labelled": {"neg_sampling": "binary", "edge_label": torch.arange(240) % 3},
    "triplet": {"neg_sampling": NegativeSampling("triplet", 3)},
    "weights": {"neg_sampling": NegativeSampling("binary", 1, torch.arange(60.0), torch.arange(60.0).flip(0))},
    "disjoint": {"neg_sampling": "triplet", "disjoint": True},
    "times": {"neg_sampling": {"mode": "binary", "amount": 2}, "time_attr": "time", "edge_label_time": TIME},
    "times, triplets": {"neg_sampling": "triplet", "time_attr": "time", "edge_label_time": TIME},
    "edge times": {"neg_sampling": "binary", "time_attr": "edge_time", "edge_label_time": TIME},
    "induced": {"subgraph_type": "induced", "neg_sampling": "binary"},
}


@pytest.mark.parametrize("mode", MODES)
def test_threads_do_not_change_a_bit_nor_touch_global_generators(mode):
    data = random_graph()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    alone, one, three = (list(load(data, num_workers=n, **MODES[mode])) for n in (0, 1, 3))
    assert torch.equal(state, torch.get_rng_state())
    assert len(alone) == 8
    for batch, *others in zip(alone, one, three, strict=True):
        check_rows(data, batch)
        assert all(same(batch, other) for other in others)


def ends(batch) -> torch.Tensor:
    return batch.n_id[batch.edge_label_index]


def test_inputs_come_first_and_as_given():
    data = random_graph()
    for batch in load(data, shuffle=True):
        assert torch.equal(ends(batch), data.edge_index[:, batch.input_id])
        assert "edge_label" not in batch
    assert isinstance(load(), pyg.LinkNeighborLoader)


def test_labels_follow_their_edges():
    label = torch.arange(240) % 3
    for batch in load(edge_label=label, shuffle=True):
        assert torch.equal(batch.edge_label, label[batch.input_id])


@pytest.mark.parametrize(("amount", "number"), [(1, 30), (0.5, 15), (2, 60)])
def test_binary_negatives(amount, number):
    data = random_graph()
    batch = next(iter(load(data, neg_sampling={"mode": "binary", "amount": amount})))
    assert torch.equal(ends(batch)[:, :30], data.edge_index[:, :30])
    assert batch.edge_label.tolist() == [1.0] * 30 + [0.0] * number


def test_labels_of_positives_make_room_for_the_negatives():
    label = torch.arange(240) % 3
    batch = next(iter(load(edge_label=label, neg_sampling="binary")))
    assert batch.edge_label.tolist() == [*(label[:30] + 1).tolist(), *[0] * 30]


def test_triplets():
    data = random_graph()
    batch = next(iter(load(data, neg_sampling={"mode": "triplet", "amount": 2})))
    assert torch.equal(batch.n_id[batch.src_index], data.edge_index[0, :30])
    assert torch.equal(batch.n_id[batch.dst_pos_index], data.edge_index[1, :30])
    assert batch.dst_neg_index.shape == (30, 2)
    assert "edge_label_index" not in batch


def test_negatives_are_equally_likely_and_fresh():
    loader = load(neg_sampling={"mode": "triplet", "amount": 20})
    first, second = (torch.cat([b.n_id[b.dst_neg_index].flatten() for b in loader]) for _ in range(2))
    assert not torch.equal(first, second)
    assert chisquare(torch.bincount(first, minlength=60).numpy()).pvalue > 1e-3


def test_weights_decide_who_is_negative():
    src, dst = torch.zeros(60), torch.zeros(60)
    src[[3, 5]], dst[7] = 1.0, 2.0
    for batch in load(neg_sampling=NegativeSampling("binary", 1, src, dst)):
        negative = ends(batch)[:, batch.edge_label == 0]
        assert set(negative[0].tolist()) == {3, 5}
        assert set(negative[1].tolist()) == {7}


def test_changed_weights_are_heard():
    weight = torch.zeros(60)
    weight[1] = 1.0
    loader = load(neg_sampling=NegativeSampling("triplet", 1, dst_weight=weight))
    seen = []
    for node in (1, 2):
        weight.zero_()[node] = 1.0
        batch = loader.batch(0, 0)
        seen.append(set(batch.n_id[batch.dst_neg_index].tolist()))
    assert seen == [{1}, {2}]


def test_weights_may_come_from_inference_mode():
    with torch.inference_mode():
        weight = torch.zeros(60)
        weight[1] = 1.0
    loader = load(neg_sampling=NegativeSampling("triplet", 1, dst_weight=weight))
    seen = []
    for node in (1, 2):
        with torch.inference_mode():
            weight.zero_()[node] = 1.0
        batch = loader.batch(0, 0)
        seen.append(set(batch.n_id[batch.dst_neg_index].tolist()))
    assert seen == [{1}, {2}]


def test_calls_are_of_the_loaders_seed_and_epoch():
    loader = load(neg_sampling="binary")
    first = loader([3, 4])
    loader.set_epoch(1)
    second = loader([3, 4])
    assert torch.equal(ends(first)[:, :2], ends(second)[:, :2])
    assert not torch.equal(ends(first)[:, 2:], ends(second)[:, 2:])
    loader.set_epoch(0)
    assert same(first, loader([3, 4]))


@pytest.mark.parametrize("mode", ["times", "times, triplets", "edge times"])
def test_nothing_comes_from_the_future(mode):
    data = random_graph()
    data.time[0] = 0
    for batch in load(data, shuffle=True, **MODES[mode]):
        limit = TIME[batch.input_id][batch.batch[batch.edge_index[1]]]
        when = batch.edge_time if mode == "edge times" else batch.time[batch.edge_index[0]]
        assert (when <= limit).all()
        assert torch.equal(*batch.batch[batch.edge_index])
        if mode == "times":
            negative = batch.edge_label_index[:, batch.edge_label == 0]
            assert (batch.time[negative] <= TIME[batch.input_id].repeat(2)).all()
            assert torch.equal(*batch.batch[batch.edge_label_index])
        elif mode == "times, triplets":
            assert (batch.time[batch.dst_neg_index] <= TIME[batch.input_id]).all()
            assert torch.equal(batch.batch[batch.dst_neg_index], batch.batch[batch.src_index])


def test_typed_edges():
    data = typed_graph()
    for batch in load(data, edge_label_index=WRITES, neg_sampling="binary", batch_size=20, num_workers=2):
        check_typed_rows(data, batch)
        store = batch[WRITES]
        pairs = torch.stack(
            [batch["author"].n_id[store.edge_label_index[0]], batch["paper"].n_id[store.edge_label_index[1]]]
        )
        positive = store.edge_label == 1
        assert torch.equal(pairs[:, positive], data[WRITES].edge_index[:, store.input_id])
    some = data[CITES].edge_index[:, :7]
    batch = next(iter(load(data, edge_label_index=(CITES, some))))
    assert torch.equal(batch["paper"].n_id[batch[CITES].edge_label_index], some)


@pytest.mark.parametrize("mode", ["binary", "triplet"])
def test_typed_times(mode):
    data = typed_graph()
    data["author"].time[0] = data["paper"].time[0] = 0
    time = torch.arange(50) % 20
    options = {"neg_sampling": {"mode": mode, "amount": 2}, "time_attr": "time", "edge_label_time": time}
    for batch in load(data, edge_label_index=WRITES, batch_size=20, **options):
        check_typed_rows(data, batch)
        limit = time[batch[WRITES].input_id]
        for kind in data.edge_types:
            source, target = batch[kind].edge_index
            late = batch[kind[0]].time[source] > limit[batch[kind[2]].batch[target]]
            assert not late.any()
        if mode == "binary":
            negative = batch[WRITES].edge_label_index[:, batch[WRITES].edge_label == 0]
            assert negative.size(1) == 2 * limit.numel()
            for kind, index in zip(("author", "paper"), negative, strict=True):
                assert (batch[kind].time[index] <= limit.repeat(2)).all()
                assert (batch[kind].time[index] <= limit[batch[kind].batch[index]]).all()
        else:
            negative = batch["paper"].dst_neg_index
            assert negative.shape == (limit.numel(), 2)
            assert (batch["paper"].time[negative] <= limit[:, None]).all()
            assert (batch["paper"].time[negative] <= limit[batch["paper"].batch[negative]]).all()


def test_any_batch_can_be_made_alone_and_ranks_share():
    whole = list(load(shuffle=True, neg_sampling="binary"))
    assert all(same(batch, load(shuffle=True, neg_sampling="binary").batch(0, b)) for b, batch in enumerate(whole))
    part = list(load(shuffle=True, neg_sampling="binary", rank=1, world_size=3, num_workers=1))
    assert all(same(one, whole[b % 8]) for one, b in zip(part, (1, 4, 7), strict=True))


def test_pygs_loader_draws_the_same_negatives_with_any_number_of_processes():
    data = random_graph()
    sampler = NeighborSampler(data, [3, 2], seed=0)
    alone, forked = (
        list(
            pyg.LinkNeighborLoader(
                data, [3, 2], neighbor_sampler=sampler, neg_sampling="binary", batch_size=80, num_workers=n
            )
        )
        for n in (0, 2)
    )
    assert all(same(one, other) for one, other in zip(alone, forked, strict=True))


def test_no_edges():
    assert list(load(edge_label_index=torch.empty(2, 0, dtype=torch.long), neg_sampling="binary", shuffle=True)) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"edge_label_index": torch.tensor([[0], [60]])}, r"'edge_label_index' must lie in \[0, 60\), got 60 to 60"),
        ({"edge_label_index": torch.zeros(3, 2)}, r"'edge_label_index' must be integers \[2, num_edges\], got"),
        ({"edge_label": torch.zeros(3)}, "'edge_label' must have 240 labels, got 3"),
        ({"time_attr": "time"}, "'edge_label_time'"),
        ({"time_attr": "time", "edge_label_time": torch.zeros(3).long()}, "'edge_label_time' must have 240 integers"),
        ({"neg_sampling": "triplet", "edge_label": torch.zeros(240)}, "'edge_label' needs to be undefined"),
        ({"neg_sampling": NegativeSampling("binary", 1, torch.ones(3))}, "'neg_sampling' must weigh each of 60 nodes"),
        ({"num_neighbors": "all"}, "'num_neighbors'"),
        ({"batch_size": None}, "'batch_size' must be an integer from 1 on, got None"),
    ],
)
def test_errors_name_the_argument(options, said):
    with pytest.raises(ValueError, match=said):
        next(iter(LinkNeighborLoader(random_graph(), **{"num_neighbors": [2], "seed": 0} | options)))


@pytest.mark.parametrize("inputs", [None, torch.zeros(2, 1).long()], ids=["nothing", "no type"])
def test_typed_inputs_need_a_type(inputs):
    with pytest.raises(ValueError, match="'edge_label_index' must name an edge type such as"):
        load(typed_graph(), edge_label_index=inputs)


def test_negatives_need_nodes():
    data = HeteroData()
    data["a"].num_nodes, data["b"].num_nodes = 2, 0
    data["a", "to", "b"].edge_index = torch.empty(2, 0, dtype=torch.long)
    data["a", "in", "a"].edge_index = torch.tensor([[0], [1]])
    assert list(load(data, edge_label_index=("a", "to", "b"), neg_sampling="binary")) == []
