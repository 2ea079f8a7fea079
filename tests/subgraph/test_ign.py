import copy

import networkx as nx
import pytest
import torch
from torch.nn import functional as F
from torch_geometric import EdgeIndex
from torch_geometric.data import Batch, Data
from torch_geometric.utils import from_networkx, to_dense_adj

from graphlab.ops import Graph
from graphlab.subgraph import IGN, equivariant_basis
from tests.subgraph.dense_networks import dense_norm, drawn

SIZES = (4, 1, 6, 0, 4, 2)


def network(**kwargs):
    torch.manual_seed(0)
    net = IGN(3, 4, 2, **{"head_channels": (5,), "norm": None, **kwargs}).double().eval()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.5)
    return net


def graph(num_nodes, seed=0, edge_dim=0):
    """A directed multigraph, often with loops and isolated nodes."""
    torch.manual_seed(seed)
    edge_index = torch.randint(0, max(num_nodes, 1), (2, 2 * num_nodes))
    edge_attr = torch.randn(edge_index.size(1), edge_dim, dtype=torch.float64)
    x = torch.randn(num_nodes, 3, dtype=torch.float64)
    return Data(x=x, edge_index=edge_index, edge_attr=edge_attr, num_nodes=num_nodes)


def plain(layer, x):
    """A layer of the network by the basis written down."""
    out = torch.einsum("...kc,kcs->...s", equivariant_basis(x, *layer.kind), layer.weight[0])
    constants = equivariant_basis(x.new_ones(1, 1), 0, layer.kind.order_out, num_nodes=x.size(1))
    return out + torch.einsum("...kc,ks->...s", constants, layer.bias[0])


@pytest.mark.parametrize("edge_dim", [0, 2])
@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
def test_the_dense_formula(edge_dim, norm):
    net, data = drawn(network(edge_dim=edge_dim, norm=norm)), graph(6, edge_dim=edge_dim)
    channels = [to_dense_adj(data.edge_index, max_num_nodes=6)[0, ..., None].double()]
    if edge_dim:
        channels.append(to_dense_adj(data.edge_index, edge_attr=data.edge_attr, max_num_nodes=6)[0])
    pairs = torch.cat([*channels, torch.diag_embed(data.x.T).movedim(0, -1)], -1)[None]
    one_graph = torch.zeros(36, dtype=torch.long)
    for conv, of_pairs in zip(net.convs, net.norms, strict=True):
        pairs = F.elu(plain(conv, pairs))
        pairs = dense_norm(of_pairs, pairs.flatten(0, 2), one_graph).view_as(pairs)
    expected = net.head(F.elu(plain(net.invariant, pairs)))
    found = net(data.x, data.edge_index, edge_attr=data.edge_attr if edge_dim else None)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
def test_permuting_nodes_changes_nothing(norm):
    net = network(norm=norm)
    for seed in range(20):
        data = graph(5 + seed, seed)
        perm = torch.randperm(data.num_nodes)
        moved = torch.empty_like(data.x)
        moved[perm] = data.x
        expected = net(data.x, data.edge_index)
        order = torch.randperm(data.edge_index.size(1))
        found = net(moved, perm[data.edge_index[:, order]])
        assert (found - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("norm", ["batch_norm", "graph_norm", None])
def test_a_batch_gives_what_each_graph_gives(norm):
    net, graphs = network(norm=norm), [graph(n, seed) for seed, n in enumerate(SIZES)]
    batch = Batch.from_data_list(graphs)
    found = net(batch.x, batch.edge_index, batch.batch, len(graphs))
    alone = torch.cat([net(data.x, data.edge_index, batch_size=1) for data in graphs])
    torch.testing.assert_close(found, alone, rtol=1e-12, atol=1e-12)


def test_graphs_without_nodes_or_edges():
    net, edges = network(), torch.zeros(2, 0, dtype=torch.long)
    assert net(torch.zeros(0, 3).double(), edges, torch.zeros(0, dtype=torch.long), 0).shape == (0, 2)
    empty = net(torch.zeros(0, 3).double(), edges, torch.zeros(0, dtype=torch.long), 2)
    assert empty.shape == (2, 2) and empty[0].equal(empty[1]) and bool(empty.isfinite().all())
    lone = net(torch.ones(4, 3).double(), edges, torch.tensor([0, 1, 1, 3]), 5)
    assert lone[2].equal(lone[4]) and lone[0].equal(lone[3]) and bool(lone.isfinite().all())


def test_equal_edges_add_up_and_directions_count():
    net, x = network(), torch.ones(2, 3).double()
    once, twice = torch.tensor([[0], [1]]), torch.tensor([[0, 0], [1, 1]])
    assert not torch.allclose(net(x, once), net(x, twice))
    assert not torch.allclose(net(x, twice), net(x, torch.tensor([[0, 1], [1, 0]])))


def test_it_tells_apart_what_color_refinement_does():
    net = network()
    pairs = {
        "paths and stars": (nx.path_graph(4), nx.star_graph(3)),
        "one cycle or two": (nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))),
    }
    gaps = {}
    for name, (one, other) in pairs.items():
        results = []
        for found in (one, other):
            edge_index = from_networkx(found).edge_index
            results.append(net(torch.ones(len(found), 3).double(), edge_index))
        gaps[name] = (results[0] - results[1]).abs().max()
    assert gaps["paths and stars"] > 1e-3 and gaps["one cycle or two"] < 1e-12


def test_gradients():
    net, data = network(num_layers=2), Batch.from_data_list([graph(2), graph(1, 1)])

    def call(x, *parameters):
        named = dict(zip(dict(net.named_parameters()), parameters, strict=True))
        return torch.func.functional_call(net, named, (x, data.edge_index, data.batch))

    inputs = [data.x.requires_grad_(), *net.parameters()]
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(lambda x: call(x, *net.parameters()), [data.x])


def test_training_step_in_float32():
    torch.manual_seed(0)
    net, data = IGN(3, 8, 2), Batch.from_data_list([graph(n, n) for n in (5, 3, 5, 1)])
    for _ in range(2):
        out = net(data.x.float(), data.edge_index, data.batch)
        out.square().sum().backward()
    assert out.shape == (4, 2) and out.dtype == torch.float32
    assert all(bool(p.grad.isfinite().all()) for p in net.parameters())


def test_every_form_of_edges():
    net, data = network(edge_dim=2), graph(6, edge_dim=2)
    expected = net(data.x, data.edge_index, edge_attr=data.edge_attr)
    for form in (EdgeIndex(data.edge_index, sparse_size=(6, 6)), Graph.from_edge_index(data.edge_index, (6, 6))):
        torch.testing.assert_close(net(data.x, form, edge_attr=data.edge_attr), expected)


def test_copies_and_new_parameters():
    net, data = network(norm="batch_norm"), graph(5)
    before = net(data.x, data.edge_index)
    twin = network(norm="batch_norm")
    twin.load_state_dict(net.state_dict())
    for same in (twin, copy.deepcopy(net), net):
        assert same(data.x, data.edge_index).equal(before)
    net.reset_parameters()
    assert not net(data.x, data.edge_index).equal(before)


def test_errors():
    net, data = network(), graph(4)
    two = torch.tensor([0, 0, 1, 1])
    with pytest.raises(ValueError, match="'num_layers' must be at least 1, got 0"):
        IGN(3, 4, 2, num_layers=0)
    with pytest.raises(ValueError, match=r"'x' must have shape \(num_nodes, 3\), got \(4, 2\)"):
        net(data.x[:, :2], data.edge_index)
    with pytest.raises(ValueError, match=r"'x' must hold torch.float64"):
        net(data.x.float(), data.edge_index)
    with pytest.raises(ValueError, match="leads from node 1 of graph 0 to node 2 of graph 1; check 'batch'"):
        net(data.x, torch.tensor([[0, 1], [1, 2]]), two)
    with pytest.raises(ValueError, match="'batch' must be sorted"):
        net(data.x, data.edge_index, two.flip(0))
    with pytest.raises(ValueError, match="edge_index"):
        net(data.x, torch.tensor([[0], [4]]))
    with pytest.raises(ValueError, match=r"'edge_attr' must be torch.float64 of shape \(8, 0\), got torch.float32 of"):
        net(data.x, data.edge_index, edge_attr=torch.zeros(8, 2))
    with pytest.raises(ValueError, match=r"'edge_attr' must be torch.float64 of shape \(8, 2\), got None"):
        network(edge_dim=2)(data.x, data.edge_index)


def test_pairs_that_do_not_fit_in_memory():
    n = 3_000_000
    with pytest.raises(RuntimeError, match=r"9000000000000 here, .* 3000000 nodes: 36\d+ bytes for 1 .* take SPEN"):
        IGN(1, 4, 2)(torch.zeros(n, 1), torch.zeros(2, 0, dtype=torch.long))
