"""SPEN as a whole: invariant, batched as alone, and as expressive as measured."""

import networkx as nx
import pytest
import torch
from torch_geometric import EdgeIndex
from torch_geometric.data import Batch, Data
from torch_geometric.utils import from_networkx

from graphlab.ops import Graph
from graphlab.subgraph import SPEN, Bags, EgoNets, PairPlan, SPENEncoder, TwoScaleSPEN
from graphlab.subgraph.pair_features import pair_features
from tests.subgraph.dense_networks import dense_encoder, dense_head, dense_norm, dense_pool, drawn
from tests.subgraph.graphs import nets, random_graph, shuffled

SEVEN = tuple(range(1, 8))


def small(cls=SPEN, dtype=torch.double, **options):
    torch.manual_seed(0)
    net = cls(3, 6, 4, **{"num_layers": 3, "norm": None, **options}).to(dtype).eval()
    for name, parameter in net.named_parameters():
        if "bias" in name:
            torch.nn.init.normal_(parameter)
    return net


def graph(seed, dtype=torch.double):
    n = 5 + seed % 50
    generator = torch.Generator().manual_seed(seed)
    edge_index = random_graph(n, 0.05 + 0.4 * (seed % 7) / 7, seed)
    return Data(x=torch.rand(n, 3, dtype=dtype, generator=generator), edge_index=edge_index)


def run(net, data):
    return net(data.x, data.edge_index, getattr(data, "batch", None), getattr(data, "num_graphs", None))


NETS = [(SPEN, {}), (SPEN, {"num_hops": 2, "product": True}), (TwoScaleSPEN, {})]


@pytest.mark.parametrize(("cls", "options"), NETS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.double, 1e-12), (torch.float, 1e-5)])
def test_is_invariant_on_100_graphs(cls, options, dtype, bound):
    net = small(cls, dtype, **options)
    with torch.no_grad():
        for seed in range(100):
            data = graph(seed, dtype)
            number, turned = shuffled(data.edge_index, data.num_nodes, seed)
            moved = torch.empty_like(data.x)
            moved[number] = data.x
            out, out_2 = run(net, data), net(moved, turned)
            assert (out - out_2).abs().max() <= bound * out.abs().max()


@pytest.mark.parametrize(("cls", "options"), NETS)
@pytest.mark.parametrize("norm", [None, "batch_norm", "graph_norm"])
def test_a_batch_is_its_graphs(cls, options, norm):
    net, graphs = small(cls, **options, norm=norm), [graph(seed) for seed in range(12)]
    together = run(net, Batch.from_data_list(graphs))
    torch.testing.assert_close(together, torch.cat([run(net, data) for data in graphs]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pool", ["mean", "sum"])
@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
def test_is_the_papers_network(norm, pool):
    """Encoder, pooling and perceptron, written down."""
    net = drawn(small(norm=norm, pool=pool, num_hops=2, size_classes=(2, 4), head_channels=(5, 3)))
    batch = Batch.from_data_list([graph(seed) for seed in (1, 50, 4)])
    sets = nets(batch.edge_index, batch.num_nodes, 2)
    nodes = dense_encoder(net.encoder, batch.x, batch.edge_index, sets, (2, 4), batch.batch)
    pooled = dense_norm(net.pool.norm, dense_pool(nodes, batch.batch, 3, pool), torch.arange(3))
    torch.testing.assert_close(run(net, batch), dense_head(net.head, pooled), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("dropout", "repeats"), [(0.5, False), (0.0, True)])
def test_dropout_is_of_training_alone(dropout, repeats):
    net, data = small(dropout=dropout), graph(3)
    assert run(net, data).equal(run(net, data))
    net.train()
    assert run(net, data).equal(run(net, data)) == repeats


def test_an_encoder_gives_nodes():
    torch.manual_seed(0)
    data = graph(20)
    number, turned = shuffled(data.edge_index, data.num_nodes, 1)
    net = SPENEncoder(3, 4, num_layers=3, num_hops=2).double().eval()
    moved = torch.empty_like(data.x)
    moved[number] = data.x
    out, out_2 = net(data.x, data.edge_index), net(moved, turned)
    assert out.shape == (data.num_nodes, net.out_channels)
    torch.testing.assert_close(out_2[number], out, rtol=1e-12, atol=1e-12)


def test_bags_extracted_before_give_the_same():
    net = small()
    batch = Batch.from_data_list([EgoNets(1)(graph(seed)) for seed in range(5)])
    given = net(batch.x, batch.edge_index, batch.batch, batch.num_graphs, bags=batch.bags(1))
    torch.testing.assert_close(given, run(net, batch), rtol=1e-12, atol=1e-12)


def test_merging_bags_changes_nothing():
    net, data = small(), Data(x=torch.rand(8, 3).double(), edge_index=torch.ones(8, 8).fill_diagonal_(0).nonzero().T)
    merged, apart = (EgoNets(1, merge)(data).bags(1) for merge in (True, False))
    assert (merged.num_bags, apart.num_bags) == (1, 8)
    out = [net(data.x, data.edge_index, bags=bags) for bags in (merged, apart)]
    torch.testing.assert_close(*out, rtol=1e-12, atol=1e-12)


def test_graphs_without_edges_or_nodes():
    net, none = small(), torch.zeros(2, 0, dtype=torch.long)
    assert net(torch.rand(3, 3).double(), none).isfinite().all()
    assert net(torch.rand(0, 3).double(), none, batch_size=1).isfinite().all()
    batch = torch.tensor([0, 2])
    assert net(torch.rand(2, 3).double(), none, batch, 4).isfinite().all()


def test_a_sum_sees_how_often_a_graph_stands_there():
    data, none = graph(4), {"head_channels": ()}
    twice = Batch.from_data_list([data, data])
    twice.batch.zero_()
    for pool, factor in (("mean", 1), ("sum", 2)):
        net = small(pool=pool, **none)
        one, two = (net(d.x, d.edge_index) - net.head.lins[0].bias for d in (data, twice))
        torch.testing.assert_close(two, factor * one, rtol=1e-12, atol=1e-12)


def test_edge_features_matter():
    net = small(edge_dim=2)
    data = graph(9)
    edge_attr = torch.rand(data.edge_index.size(1), 2).double()
    first = net(data.x, data.edge_index, edge_attr=edge_attr)
    assert (first - net(data.x, data.edge_index, edge_attr=edge_attr.flip(0))).abs().max() > 1e-6


def separates(net, one, other):
    out = []
    for seed, g in enumerate((one, other, one)):
        g = nx.convert_node_labels_to_integers(g)
        edge_index = from_networkx(g).edge_index
        edge_index = shuffled(edge_index, len(g), seed)[1] if seed == 2 else edge_index
        out.append(net(torch.ones(len(g), 3).double(), edge_index))
    assert (out[0] - out[2]).norm() <= 1e-14 * out[0].norm()
    return bool((out[0] - out[1]).norm() > 1e-12 * out[0].norm())


def test_beyond_message_passing():
    cycles = nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))
    circulants = nx.circulant_graph(41, [1, 6]), nx.circulant_graph(41, [1, 9])
    line = nx.line_graph(nx.complete_bipartite_graph(4, 4))
    shrikhande = nx.from_edgelist(
        ((a, b), ((a + i) % 4, (b + j) % 4)) for a in range(4) for b in range(4) for i, j in ((0, 1), (1, 0), (1, 1))
    )
    plain = small(size_classes=SEVEN, normalize=False)
    product = small(size_classes=SEVEN, normalize=False, product=True)
    wide = small(size_classes=(*SEVEN, 9, 12), num_hops=2, normalize=False)
    assert [separates(net, *cycles) for net in (plain, product, wide)] == [True, True, True]
    assert [separates(net, *circulants) for net in (plain, product, wide)] == [False, False, True]
    # The rook's graph and the Shrikhande graph are strongly regular alike: maps alone fail, products do not.
    assert [separates(net, line, shrikhande) for net in (plain, product, wide)] == [False, True, False]


def test_learns_and_repeats():
    data = Batch.from_data_list([graph(seed, torch.float) for seed in range(20)])
    y = torch.tensor([g.num_edges > 20 for g in data.to_data_list()]).long()
    losses = []
    for _ in range(2):
        torch.manual_seed(1)
        net = SPEN(3, 8, 2, num_layers=3)
        optimizer = torch.optim.Adam(net.parameters(), 0.01)
        for _ in range(30):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(run(net, data), y)
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[0] == losses[1] < 0.2


def test_parameters_are_drawn_anew():
    net = small(TwoScaleSPEN, norm="batch_norm")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.reset_parameters()
    changed = [name for name, value in net.state_dict().items() if "weight" in name and not value.equal(before[name])]
    assert any(name.startswith("near.") for name in changed) and any(name.startswith("head.") for name in changed)


def test_errors():
    with pytest.raises(ValueError, match="'num_layers' must be at least 2"):
        SPEN(3, 4, 2, num_layers=1)
    with pytest.raises(ValueError, match="'num_hops' must be a whole number from 1, got 0"):
        SPEN(3, 4, 2, num_hops=0)
    with pytest.raises(ValueError, match="'norm' must be one of"):
        SPEN(3, 4, 2, norm="layer")
    with pytest.raises(ValueError, match="'jk' must be one of 'last', 'cat', got 'max'"):
        SPEN(3, 4, 2, jk="max")
    with pytest.raises(ValueError, match="'pool' must be one of 'mean', 'sum', got 'max'"):
        SPEN(3, 4, 2, pool="max")


def test_errors_of_what_is_given():
    net, data = small(), graph(3)
    x, edges = data.x, data.edge_index
    other = EgoNets(1)(Data(x=x, edge_index=torch.zeros(2, 0, dtype=torch.long))).bags(1)
    for message, given in (
        (r"'x' must have shape \(num_nodes, 3\)", (x[:, :2], edges)),
        ("'x' must hold torch.float64", (x.float(), edges)),
        ("'batch' must be sorted", (x, edges, torch.arange(x.size(0)).flip(0))),
        (r"'edge_index' must hold nodes in \[0, 8\)", (x, edges + 5)),
        (r"'edge_index' must have shape", (x, edges[0])),
    ):
        with pytest.raises(ValueError, match=message):
            net(*given)
    with pytest.raises(ValueError, match="'edge_attr' must be None for a network with edge_dim=0"):
        net(x, edges, edge_attr=torch.ones(edges.size(1), 1))
    with pytest.raises(ValueError, match=r"'edge_attr' must have shape \(\d+, 2\) .* got None"):
        small(edge_dim=2)(x, edges)
    with pytest.raises(ValueError, match="'bags' must be the nets of 8 nodes that reach 2 hops, got Bags"):
        small(num_hops=2)(x, edges, bags=other)
    with pytest.raises(ValueError, match="'bags' must hold both nodes of every edge"):
        net(x, edges, bags=other)


def test_sparse_and_other_forms_of_edges():
    net, data = small(), graph(6)
    expected = net(data.x, data.edge_index)
    n = data.num_nodes
    adj_t = torch.sparse_coo_tensor(data.edge_index.flip(0), torch.ones(data.num_edges).double(), (n, n))
    for edges in (
        data.edge_index.int(),
        EdgeIndex(data.edge_index, sparse_size=(n, n)),
        adj_t.to_sparse_csr(),
        Graph.from_edge_index(data.edge_index, (n, n)),
    ):
        torch.testing.assert_close(net(data.x, edges), expected, rtol=1e-12, atol=1e-12)


def test_many_nodes_of_short_indices():
    """The number of a pair does not fit into 32 bits."""
    n = 60_000
    path = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
    edges, x = torch.cat([path, path.flip(0)], dim=1), torch.rand(n, 3)
    net = SPENEncoder(3, 2, num_layers=2, norm=None)
    assert net(x, edges.int()).equal(net(x, edges))


def test_training_after_inference_mode():
    net, data = small(), graph(11)
    with torch.inference_mode():
        net(data.x, data.edge_index)
    net(data.x, data.edge_index).sum().backward()


def test_every_parameter_has_a_gradient():
    """Else distributed training waits for one that never comes."""
    for cls, options in NETS:
        net, data = small(cls, **options), graph(12)
        run(net, data).sum().backward()
        assert all(parameter.grad is not None for parameter in net.parameters())


def test_derivatives_by_functions():
    net, data = small(), graph(12)
    gradient = torch.func.grad(lambda x: net(x, data.edge_index).sum())(data.x)
    data.x.requires_grad_()
    (expected,) = torch.autograd.grad(run(net, data).sum(), data.x)
    torch.testing.assert_close(gradient, expected)


def test_edges_stay_within_graphs():
    data = graph(5)
    with pytest.raises(ValueError, match="'edge_index'"):
        small()(data.x, data.edge_index, torch.arange(data.num_nodes) // (data.num_nodes // 2))


def test_a_graph_of_one_node_in_training():
    net = SPEN(3, 4, 2, num_layers=3, pool="sum").train()
    assert net(torch.rand(1, 3), torch.zeros(2, 0, dtype=torch.long)).isfinite().all()


def test_half_precision_of_large_degrees():
    edges, x = torch.ones(300, 300).fill_diagonal_(0).nonzero().T, torch.rand(300, 3)
    plan = PairPlan(Bags.from_edge_index(edges, 300), (1,))
    features = pair_features(x.half(), edges, plan)
    torch.testing.assert_close(features[300:, 0].float(), torch.full((300 * 299,), 1 / 299), rtol=1e-3, atol=0)


def test_a_hub_that_cannot_be(monkeypatch):
    star = torch.stack([torch.zeros(2_000, dtype=torch.long), torch.arange(1, 2_001)])
    bags = Bags.from_edge_index(torch.cat([star, star.flip(0)], dim=1), 2_001)
    monkeypatch.setattr("os.sysconf", lambda name: 4096)
    with pytest.raises(ValueError, match=r"'bags' hold 4,012,001 pairs of nodes, the largest 2,001 nodes"):
        PairPlan(bags, (1,))
