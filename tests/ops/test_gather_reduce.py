"""The public gather_reduce: laws, shapes, and what it refuses."""

import pytest
import torch
import torch._dynamo.testing
from hypothesis import given
from hypothesis import strategies as st

from graphlab.ops import Graph, gather_argreduce, gather_reduce, use_backend

ALL = pytest.mark.parametrize("reduce", ["sum", "mean", "min", "max"])
BACKENDS = pytest.mark.parametrize("backend", ["auto", "ref"])


@st.composite
def problems(draw):
    """Rows of sources, edges in any order, weights, and the number of targets."""
    sources, targets = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    pair = st.tuples(st.integers(0, sources - 1), st.integers(0, targets - 1))
    edge_index = torch.tensor(draw(st.lists(pair, max_size=25)), dtype=torch.long).view(-1, 2).t()
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31 - 1)))
    x = torch.randn(sources, draw(st.integers(1, 20)), generator=generator, dtype=torch.float64)
    return x, edge_index, torch.randn(edge_index.size(1), generator=generator, dtype=torch.float64), targets


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@BACKENDS
@pytest.mark.parametrize("reduce", ["sum", "mean"])
@given(problems())
def test_it_is_linear_in_rows_and_in_weights(backend, reduce, problem):
    x, edge_index, weight, targets = problem

    def run(x, w):
        return gather_reduce(x, edge_index, w, reduce, targets)

    with use_backend(backend):
        close(run(2 * x - x.flip(0), weight), 2 * run(x, weight) - run(x.flip(0), weight))
        close(run(x, 2 * weight - weight.flip(0)), 2 * run(x, weight) - run(x, weight.flip(0)))
        close(run(x, torch.ones_like(weight)), gather_reduce(x, edge_index, reduce=reduce, dim_size=targets))


@BACKENDS
@ALL
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_edges_does_not_matter(backend, reduce, problem, random):
    x, edge_index, weight, targets = problem
    order = list(range(edge_index.size(1)))
    random.shuffle(order)
    with use_backend(backend):
        one = gather_reduce(x, edge_index, weight, reduce, targets)
        other = gather_reduce(x, edge_index[:, order], weight[order], reduce, targets)
    if reduce in ("min", "max"):
        assert torch.equal(one, other)
    else:
        close(one, other)


@BACKENDS
@given(problems())
def test_sums_along_edges_and_against_them_are_adjoint(backend, problem):
    x, edge_index, weight, targets = problem
    graph = Graph.from_edge_index(edge_index, (x.size(0), targets))
    g = torch.linspace(-1, 1, targets * x.size(1), dtype=torch.float64).view(targets, -1)
    with use_backend(backend):
        there, back = gather_reduce(x, graph, weight), gather_reduce(g, graph.reverse(), weight)
    close((there * g).sum(), (x * back).sum())


@given(problems())
def test_minimum_is_maximum_turned_over_and_choices_point_at_it(problem):
    x, edge_index, _, targets = problem
    graph = Graph.from_edge_index(edge_index, (x.size(0), targets))
    top, arg = gather_argreduce(x, graph, reduce="max")
    assert torch.equal(-gather_reduce(-x, graph, reduce="min"), top)
    for i, f in torch.cartesian_prod(torch.arange(targets), torch.arange(x.size(1))).tolist():
        if arg[i, f] >= 0:
            assert top[i, f] == x[graph.col[graph.rowptr[i] + arg[i, f]].long(), f]
        else:
            assert top[i, f] == 0 and graph.degree[i] == 0


@BACKENDS
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_first_of_equals_wins_and_nan_wins_over_all(backend, dtype):
    edge_index = torch.tensor([[0, 1, 2, 0, 3, 1], [0, 0, 0, 1, 1, 1]])
    x = torch.tensor([[1.0, 1.0], [1.0, 2.0], [0.0, 2.0], [torch.nan, -1.0]], dtype=dtype)
    with use_backend(backend):
        out, arg = gather_argreduce(x, edge_index, reduce="max", dim_size=2)
    assert arg.tolist() == [[0, 1], [1, 2]]
    assert out[0].tolist() == [1, 2] and out[1, 0].isnan() and out[1, 1] == 2


@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 0), (4, 2, 0), (4, 1)])
@ALL
def test_rows_may_have_any_shape(shape, reduce):
    x, edge_index = torch.randn(shape, requires_grad=True), torch.tensor([[0, 1, 3, 3], [2, 2, 0, 2]])
    out = gather_reduce(x, edge_index, reduce=reduce)
    flat = gather_reduce(x.reshape(4, -1) if x.numel() else x.reshape(4, 0), edge_index, reduce=reduce)
    assert out.shape == shape and torch.equal(out.flatten(), flat.flatten())
    (grad,) = torch.autograd.grad(out.sum(), x)
    assert grad.shape == shape


@ALL
def test_without_sources_there_is_nothing_but_zeros(reduce):
    x = torch.zeros(0, 5, requires_grad=True)
    out = gather_reduce(x, torch.empty(2, 0, dtype=torch.long), reduce=reduce, dim_size=3)
    assert torch.equal(out, torch.zeros(3, 5))
    assert torch.autograd.grad(out.sum(), x)[0].shape == (0, 5)


def test_a_graph_serves_forward_and_backward_of_both_backends():
    graph = Graph.from_edge_index(torch.tensor([[0, 1, 2], [2, 2, 0]]))
    grads = []
    for inside, outside in (("auto", "ref"), ("ref", "auto")):
        x = torch.ones(3, 2, requires_grad=True)
        with use_backend(inside):
            out = gather_reduce(x, graph, torch.ones(3))
        with use_backend(outside):
            grads += torch.autograd.grad(out.square().sum(), x)
    assert torch.equal(*grads)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"reduce": "median"}, r"'reduce' must be one of 'sum', 'mean', 'min', 'max', got 'median'"),
        ({"x": torch.ones(3)}, r"'x' must hold one row for each of the 3 source nodes"),
        ({"x": torch.tensor(1.0)}, r"'x' must hold one row"),
        ({"edge_weight": torch.ones(2)}, r"'edge_weight' must hold one number for each of the 3 edges"),
        ({"dim_size": 2}, r"'edge_index' has targets from 0 to 2, expected \[0, 2\)"),
        (
            {"edge_index": Graph(torch.tensor([0, 1]), torch.tensor([0]), None, 9)},
            r"has 9 source nodes by its own account, but 3",
        ),
        (
            {"edge_index": Graph(torch.tensor([0, 1]), torch.tensor([0]), None, 3), "dim_size": 2},
            r"has 1 target nodes by its own account, but 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change, match):
    given = {"x": torch.ones(3, 2), "edge_index": torch.tensor([[0, 1, 2], [2, 2, 0]]), **change}
    with pytest.raises(ValueError, match=match):
        gather_reduce(**given)


def test_a_compiled_layer_serves_graphs_of_any_size():
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    layer = torch.compile(
        lambda x, e: gather_reduce(x, e, reduce="mean").sin(), fullgraph=True, dynamic=True, backend=counter
    )
    for nodes, edges in ((4, 7), (9, 20), (11, 15), (23, 50)):
        x, edge_index = torch.randn(nodes, 3, requires_grad=True), torch.randint(nodes, (2, edges))
        (got,) = torch.autograd.grad(layer(x, edge_index).sum(), x)
        (want,) = torch.autograd.grad(gather_reduce(x, edge_index, reduce="mean").sin().sum(), x)
        torch.testing.assert_close(got, want)
    assert counter.frame_count == 1
