"""The encoder is the paper's, layer by layer: maps, ELU, normalisation, and what is read off in the end."""

import pytest
import torch

from graphlab.subgraph import Bags, SPENEncoder
from tests.subgraph.dense_networks import dense_encoder, drawn
from tests.subgraph.graphs import nets, random_graph

SIZES = (7, 1, 5)
NUM_NODES = sum(SIZES)
BATCH = torch.arange(3).repeat_interleave(torch.tensor(SIZES))
X, EDGE_ATTR = torch.rand(NUM_NODES, 3).double(), torch.rand(99, 2).double()


def batched_edges():
    """Three graphs, directed, with a loop and an edge twice."""
    edges = torch.cat([random_graph(n, 0.4, n, True) + first for n, first in zip(SIZES, (0, 7, 8), strict=True)], 1)
    return torch.cat([edges, edges[:, :1], torch.tensor([[2], [2]])], 1)


EDGES = batched_edges()


def assert_is_dense(net, num_hops, classes, sets=None, bags=None, **options):
    edge_attr = EDGE_ATTR[: EDGES.size(1)] if net.edge_dim else None
    found = net(X, EDGES, BATCH, 3, edge_attr, bags)
    sets = sets or nets(EDGES, NUM_NODES, num_hops)
    expected = dense_encoder(net, X, EDGES, sets, classes, BATCH, edge_attr, **options)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
@pytest.mark.parametrize("jk", ["last", "cat"])
def test_is_the_papers_encoder(norm, training, jk):
    net = SPENEncoder(3, 4, num_layers=4, size_classes=(2, 4), norm=norm, jk=jk)
    assert net.out_channels == (24 if jk == "cat" else 8)
    assert_is_dense(drawn(net).train(training), 1, (2, 4), jk=jk)


@pytest.mark.parametrize("options", [{"product": True}, {"normalize": False}, {"edge_dim": 2}, {"num_layers": 2}])
def test_each_option_is_the_papers_encoder(options):
    net = drawn(SPENEncoder(3, 4, **{"num_layers": 3, "size_classes": (2, 4), "norm": None, **options}))
    assert_is_dense(net, 1, (2, 4), normalize=options.get("normalize", True))


def test_networks_that_share_edges_keep_their_hops_and_classes():
    """What is remembered of edges is told apart by all that it was made with."""
    for num_hops in (1, 2):
        for classes in ((1,), (2, 3), (2, 5), (2, 3, 4)):
            net = drawn(SPENEncoder(3, 2, 2, num_hops, classes, norm=None))
            assert_is_dense(net, num_hops, classes)


def test_bags_that_are_given_are_what_is_computed_on(monkeypatch):
    """Nothing is extracted or merged again: other nets than those of the edges are taken as they are."""
    more = torch.cat([EDGES, torch.tensor([[3, 8], [6, 11]])], 1)
    bags = Bags.from_edge_index(more, NUM_NODES, merge=False)
    monkeypatch.setattr(Bags, "from_edge_index", None)
    monkeypatch.setattr(Bags, "merged", None)
    net = drawn(SPENEncoder(3, 4, num_layers=3, size_classes=(2, 4))).eval()
    sets = nets(more, NUM_NODES, 1)
    assert sets != nets(EDGES, NUM_NODES, 1)
    assert_is_dense(net, 1, (2, 4), sets, bags)


@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
def test_graphs_without_nodes(norm):
    """Of the number of graphs nothing tells but what was given."""
    net = drawn(SPENEncoder(3, 4, num_layers=3, norm=norm)).eval()
    none = torch.zeros(2, 0, dtype=torch.long)
    assert net(X[:0], none, torch.zeros(0, dtype=torch.long), 2).shape == (0, 8)


def test_all_parameters_are_drawn_anew():
    net = drawn(SPENEncoder(3, 4, num_layers=3, product=True, jk="cat"))
    before = {name: value.clone() for name, value in net.named_parameters()}
    net.reset_parameters()
    # The first layer has no features of nodes to map.
    assert [name for name, value in net.named_parameters() if value.numel() and value.equal(before[name])] == []
