import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graphlab.subgraph import DSSGNN, DSSBags


def random_graph(n: int, p: float, seed: int, undirected: bool = True) -> Tensor:
    """Edges of a random graph; the last node has none."""
    a = torch.rand(n, n, generator=torch.Generator().manual_seed(seed)) < p
    a = a.triu(1) | a.triu(1).T if undirected else a
    a[-1:] = False
    a[:, -1:] = False
    return a.nonzero().T.contiguous()


def adjacency(edge_index: Tensor, n: int) -> Tensor:
    """Row ``i`` counts the edges into node ``i``."""
    a = torch.zeros(n, n, dtype=torch.float64)
    for source, target in edge_index.T.tolist():
        a[target, source] += 1
    return a


def near(a: Tensor, k: int) -> Tensor:
    """Row ``r`` tells which nodes reach root ``r`` in ``k`` steps."""
    return torch.linalg.matrix_power(a + torch.eye(len(a), dtype=a.dtype), k) > 0


def normalized(h: Tensor, norm) -> Tensor:
    if isinstance(norm, torch.nn.Identity):
        return h
    flat = h.reshape(-1, h.size(-1))
    return (h - flat.mean(0)) / (flat.var(0, correction=0) + norm.eps).sqrt() * norm.weight + norm.bias


def gin(layer, h: Tensor, a: Tensor) -> Tensor:
    """On a stack of dense matrices."""
    first, norm, _, second, last = layer.mlp
    h = (1 + layer.eps) * h + a @ h
    h = normalized(h @ first.weight.T + first.bias, norm).clamp(min=0)
    return normalized(h @ second.weight.T + second.bias, last)


def dense(net: DSSGNN, x: Tensor, a: Tensor) -> Tensor:
    """One graph, bag by bag, with dense matrices."""
    n, reach = len(a), near(a, net.num_hops)
    cut = [a * reach[r, :, None] * reach[r, None, :] for r in range(n)]
    h = torch.stack([x @ net.first.weight.T + net.first.bias] * n)
    if net.mark is not None:
        for r in range(n):
            for v in range(n):
                h[r, v] = h[r, v] + net.mark.weight[int(r == v)]
    found = []
    for conv in net.convs:
        h = (gin(conv.bag, h, torch.stack(cut)) + gin(conv.shared, h.mean(0), a)).clamp(min=0)
        found.append(h.mean((0, 1)))
    return net.head(net.inner(torch.cat(found)).relu())


def double(*args, seed: int = 0, **options) -> DSSGNN:
    torch.manual_seed(seed)
    net = DSSGNN(*args, **options).double()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.rand_like(p))  # also where it starts at zero
    return net


def moved(edge_index: Tensor, x: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """The same graph with its nodes and edges in another order."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(x), generator=generator)
    edges = order.argsort()[edge_index]
    return edges[:, torch.randperm(edges.size(1), generator=generator)], x[order]


@pytest.mark.parametrize("root_mark", [False, True])
@pytest.mark.parametrize("norm", [None, "batch_norm"])
@pytest.mark.parametrize("k", [0, 1, 2])
def test_it_is_the_dense_loop_over_bags(k, norm, root_mark):
    edge_index = torch.cat([random_graph(9, 0.25, k), torch.tensor([[0, 1, 1], [0, 2, 2]])], dim=1)  # a loop, and twice
    x = torch.randn(9, 3, dtype=torch.float64)
    net = double(3, 5, 2, num_layers=3, num_hops=k, root_mark=root_mark, norm=norm)
    expected = dense(net, x, adjacency(edge_index, 9))
    torch.testing.assert_close(net(x, edge_index)[0], expected, rtol=1e-12, atol=1e-12)


def test_directed_edges_are_followed_to_the_root():
    edge_index = random_graph(8, 0.2, 3, undirected=False)
    x, net = torch.randn(8, 2, dtype=torch.float64), double(2, 4, 2, num_layers=2, norm=None)
    expected = dense(net, x, adjacency(edge_index, 8))
    torch.testing.assert_close(net(x, edge_index)[0], expected, rtol=1e-12, atol=1e-12)


@given(st.integers(1, 12), st.floats(0, 0.6), st.integers(0, 3), st.booleans(), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_order_of_nodes_and_edges_changes_nothing(n, p, k, root_mark, seed):
    edge_index, x = random_graph(n, p, seed), torch.randn(n, 2, dtype=torch.float64)
    net = double(2, 4, 3, num_layers=2, num_hops=k, root_mark=root_mark).eval()
    expected = net(x, edge_index)
    edge_index, x = moved(edge_index, x, seed)
    assert bool((net(x, edge_index) - expected).abs().max() <= 1e-12 * expected.abs().max())


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_graph_gives_the_same_in_any_batch(sizes, seed):
    net = double(2, 4, 3, num_layers=2, root_mark=True).eval()
    edges = [random_graph(n, 0.5, seed + i) for i, n in enumerate(sizes)]
    x = [torch.randn(n, 2, dtype=torch.float64) for n in sizes]
    starts = torch.tensor([0, *sizes]).cumsum(0)
    batch = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    whole = net(torch.cat(x), torch.cat([e + s for e, s in zip(edges, starts, strict=False)], 1), batch, len(sizes))
    alone = torch.cat([net(*given) for given in zip(x, edges, strict=True)])
    torch.testing.assert_close(whole, alone, rtol=1e-12, atol=1e-12)


def test_all_gradients_are_right():
    edge_index, batch = random_graph(6, 0.5, 1), torch.tensor([0, 0, 0, 0, 0, 1])
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    net = double(2, 3, 1, num_layers=2, root_mark=True)
    names = [name for name, _ in net.named_parameters()]

    def run(x: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(net, dict(zip(names, parameters, strict=True)), (x, edge_index, batch))

    assert torch.autograd.gradcheck(run, (x, *net.parameters()))


def test_six_cycle_and_two_triangles_differ():
    six = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])
    two = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 0, 4, 5, 3]])
    net, x = double(1, 4, 4, num_hops=1, norm=None), torch.ones(6, 1, dtype=torch.float64)
    cycle, triangles = (net(x, torch.cat([e, e.flip(0)], dim=1)) for e in (six, two))
    assert bool((cycle - triangles).abs().max() > 1e-6)


def test_a_bag_that_is_the_whole_graph_tells_something_by_its_mark_only():
    prism = torch.tensor([[0, 1, 2, 3, 4, 5, 0, 1, 2], [1, 2, 0, 4, 5, 3, 3, 4, 5]])
    bipartite = torch.tensor([[0, 0, 0, 1, 1, 1, 2, 2, 2], [3, 4, 5, 3, 4, 5, 3, 4, 5]])
    edges = torch.cat([prism, prism.flip(0), bipartite + 6, bipartite.flip(0) + 6], dim=1)
    x, batch = torch.ones(12, 1, dtype=torch.float64), torch.tensor([0, 1]).repeat_interleave(6)
    plain, marked = (double(1, 8, 4, root_mark=m)(x, edges, batch) for m in (False, True))
    assert bool((plain[0] - plain[1]).abs().max() < 1e-12) and bool((marked[0] - marked[1]).abs().max() > 1e-6)


def test_bags_keep_all_nodes_and_the_edges_of_the_net():
    path = torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    bags = DSSBags.of(path, torch.zeros(4, dtype=torch.long), 1, num_hops=1)
    rows = bags.edges.edge_index()
    assert bags.edges.size == (16, 16) and bool((rows[0] // 4 == rows[1] // 4).all())
    kept = {(int(u) // 4, int(u) % 4, int(v) % 4) for u, v in rows.T}
    ends = {0: {0, 1}, 1: {0, 1, 2}, 2: {1, 2, 3}, 3: {2, 3}}
    assert kept == {(r, u, v) for r, inside in ends.items() for u, v in path.T.tolist() if {u, v} <= inside}


@pytest.mark.parametrize("n", [0, 1, 3])
def test_graphs_without_edges(n):
    net = double(2, 4, 3, root_mark=True).eval()
    out = net(torch.ones(n, 2, dtype=torch.float64), torch.zeros(2, 0, dtype=torch.long))
    assert out.shape == (1, 3) and bool(out.isfinite().all())
    assert net(torch.ones(0, 2).double(), torch.zeros(2, 0, dtype=torch.long), batch_size=0).shape == (0, 3)


def test_it_is_drawn_anew_copied_and_repeated():
    net, x, edge_index = DSSGNN(2, 4, 3, root_mark=True), torch.randn(5, 2), random_graph(5, 0.6, 0)
    net.eval()
    expected = net(x, edge_index)
    other = copy.deepcopy(net)
    assert torch.equal(other(x, edge_index), expected)
    other.reset_parameters()
    changed = {name for name, p in other.named_parameters() if not torch.equal(p, net.state_dict()[name])}
    assert {name.split(".")[0] for name in changed} == {"first", "mark", "convs", "inner", "head"}
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x, edge_index), expected)


def test_bad_input_is_told():
    net, x, edges = DSSGNN(2, 4, 3), torch.randn(3, 2), torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(ValueError, match=r"'num_layers' must be at least 1, got 0"):
        DSSGNN(2, 4, 3, num_layers=0)
    with pytest.raises(ValueError, match=r"'num_hops' must be at least 0, got -1"):
        DSSGNN(2, 4, 3, num_hops=-1)
    with pytest.raises(ValueError, match=r"'norm' must be 'batch_norm' or None, got 'layer'"):
        DSSGNN(2, 4, 3, norm="layer")
    with pytest.raises(ValueError, match=r"in_channels=5"):
        net(torch.randn(3, 5), edges)
    with pytest.raises(ValueError, match=r"convert with \.to\(torch\.float32\)"):
        net(x.double(), edges)
    with pytest.raises(ValueError, match=r"'batch' must hold one int64 number for each of the 3 nodes"):
        net(x, edges, torch.tensor([0, 0]))
    with pytest.raises(ValueError, match=r"'batch' must be sorted"):
        net(x, edges, torch.tensor([0, 1, 0]))
    with pytest.raises(ValueError, match=r"'batch_size' is 1, but 'batch' names 2 graphs"):
        net(x, edges, torch.tensor([0, 0, 1]), batch_size=1)
    with pytest.raises(ValueError, match=r"leads from node 1 of graph 0 to node 2 of graph 1"):
        net(x, edges, torch.tensor([0, 0, 1]))
    with pytest.raises(ValueError, match=r"'edge_index' has targets from 2 to 3"):
        net(x, edges + torch.tensor([[0], [1]]).clamp(max=2))
