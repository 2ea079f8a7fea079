"""multi_reduce against PyG's aggregations, its reference and float64; derivatives, tracing, batching, refusals."""

from itertools import combinations

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch_geometric.nn.aggr import MultiAggregation

from graphlab.ops import Graph, kernels, multi_reduce, use_backend

ALL = ("sum", "mean", "var", "std", "min", "max")
FIVE = ("sum", "mean", "std", "min", "max")
SETS = [ALL, FIVE, FIVE[::-1], ("mean", "max"), ("std", "min"), ("var",), *((name,) for name in ALL if name != "var")]
WIDTHS = [1, 3, 16, 64, 70, 128, 257]
KINDS = ["ragged", "hub", "no edges"]
BACKENDS = ["auto", "ref"]


def make_edges(kind: str, num_sources: int = 40, num_targets: int = 30) -> Tensor:
    """Give unsorted edges; the last targets have none, and some edges come twice."""
    generator = torch.Generator().manual_seed(3)
    count = {"ragged": 150, "hub": 400, "no edges": 0}[kind]
    source = torch.randint(num_sources, (count,), generator=generator)
    target = torch.randint(num_targets - 4, (count,), generator=generator)
    if kind == "hub":
        target[50:] = 7
    return torch.stack([source, target])


def make_x(d: int, dtype: torch.dtype = torch.float64, rows: int = 40) -> Tensor:
    return torch.randn(rows, d, dtype=torch.float64, generator=torch.Generator().manual_seed(d)).to(dtype)


def by_pyg(x: Tensor, edge_index: Tensor, reduces: tuple[str, ...], num_targets: int) -> Tensor:
    x_j = x.index_select(0, edge_index[0])
    return MultiAggregation(list(reduces))(x_j, edge_index[1], dim_size=num_targets)


def differentiate(out: Tensor, x: Tensor) -> Tensor:
    seed = torch.randn(out.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(out)
    return torch.autograd.grad(out, x, seed)[0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reduces", SETS, ids=",".join)
def test_values_and_gradients_are_those_of_pyg(reduces: tuple[str, ...], kind: str, backend: str) -> None:
    edge_index = make_edges(kind)
    for d in WIDTHS:
        x = make_x(d).requires_grad_()
        with use_backend(backend):
            out = multi_reduce(x, edge_index, reduces, 30).flatten(1)
            grad = differentiate(out, x)
        expected = by_pyg(x, edge_index, reduces, 30)
        torch.testing.assert_close(out, expected)
        if not {"min", "max"} & set(reduces) or kind == "no edges":
            torch.testing.assert_close(grad, differentiate(expected, x))


@pytest.mark.parametrize("reduces", [("min",), ("max",), FIVE], ids=",".join)
def test_gradients_of_extremes_are_those_of_pyg_without_ties(reduces: tuple[str, ...]) -> None:
    # PyG shares the gradient among equals, so no source may come twice into one target.
    edge_index = torch.stack(torch.meshgrid(torch.arange(40), torch.arange(30), indexing="ij")).flatten(1)
    edge_index = edge_index[:, torch.randperm(1200, generator=torch.Generator().manual_seed(0))[:300]]
    for d in WIDTHS:
        x = make_x(d).requires_grad_()
        grad = differentiate(multi_reduce(x, edge_index, reduces, 30).flatten(1), x)
        torch.testing.assert_close(grad, differentiate(by_pyg(x, edge_index, reduces, 30), x))


@pytest.mark.parametrize("reduces", [s for n in (1, 2, 3) for s in combinations(ALL, n)], ids=",".join)
def test_every_choice_of_aggregates_is_a_part_of_all(reduces: tuple[str, ...]) -> None:
    edge_index, x = make_edges("hub"), make_x(20, torch.float32)
    whole = multi_reduce(x, edge_index, ALL, 30)
    part = multi_reduce(x, edge_index, reduces, 30)
    assert torch.equal(part, whole[:, [ALL.index(name) for name in reduces]])


@pytest.mark.parametrize("index_dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_low_precision_is_close_to_float64(kind: str, dtype: torch.dtype, index_dtype: torch.dtype) -> None:
    made = Graph.from_edge_index(make_edges(kind), (40, 30))
    graph = Graph(made.rowptr.to(index_dtype), made.col.to(index_dtype), None, 40)
    bound = 2e-5 if dtype == torch.float32 else 2e-2
    for d in WIDTHS:
        x = make_x(d, dtype).requires_grad_()
        exact_x = x.detach().double().requires_grad_()
        for reduces in SETS:
            out, exact = multi_reduce(x, graph, reduces), multi_reduce(exact_x, graph, reduces)
            assert out.dtype == dtype
            torch.testing.assert_close(out.double(), exact, rtol=bound, atol=bound * 5)
            grad, exact_grad = differentiate(out, x), differentiate(exact, exact_x)
            torch.testing.assert_close(grad.double(), exact_grad, rtol=bound, atol=bound * 20)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["ragged", "hub"])
def test_variance_of_large_values_does_not_cancel(kind: str, backend: str) -> None:
    edge_index = make_edges(kind)
    x = (make_x(64) + 1e4).float().requires_grad_()
    exact_x = x.detach().double().requires_grad_()
    with use_backend(backend):
        for reduces in (("var",), ("std",), ("sum", "var", "std")):
            out, exact = multi_reduce(x, edge_index, reduces, 30), multi_reduce(exact_x, edge_index, reduces, 30)
            torch.testing.assert_close(out.double(), exact, rtol=1e-5, atol=1e-5)
        # The mean is rounded to the precision of x, 1e-3 at 1e4.
        grad, exact_grad = differentiate(out, x), differentiate(exact, exact_x)
        torch.testing.assert_close(grad.double(), exact_grad, rtol=1e-2, atol=5e-2)


@pytest.mark.parametrize("at", [0, 20, 900])
def test_variance_survives_an_outlier_anywhere(at: int) -> None:
    x = make_x(16, torch.float32, 1000) + torch.zeros(1000, 1).index_fill_(0, torch.tensor(at), 1e4)
    edge_index = torch.stack([torch.arange(1000), torch.zeros(1000, dtype=torch.long)])
    out = multi_reduce(x, edge_index, ("var",), 1)
    torch.testing.assert_close(out[0, 0].double(), x.double().var(0, correction=0), rtol=1e-5, atol=0)


def test_equal_values_have_no_deviation_and_no_gradient() -> None:
    x = torch.full((40, 20), 0.1).requires_grad_()
    out = multi_reduce(x, make_edges("hub"), ("var", "std"), 30)
    assert out[:, 0].max() < 1e-12 and not out[:, 1].any() and not differentiate(out[:, 1], x).any()


def test_deviations_too_small_count_as_none() -> None:
    x = torch.tensor([[0.0, 0.0], [6.2e-3, 6.4e-3]], dtype=torch.float64).requires_grad_()
    out = multi_reduce(x, torch.tensor([[0, 1], [0, 0]]), ("std",), 1)
    torch.testing.assert_close(out.flatten(), torch.tensor([0.0, 3.2e-3], dtype=torch.float64))
    grad = torch.autograd.grad(out.sum(), x)[0]
    torch.testing.assert_close(grad, torch.tensor([[0.0, -0.5], [0.0, 0.5]], dtype=torch.float64))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("d", [1, 20, 70])
def test_first_edge_wins_a_tie(d: int, backend: str) -> None:
    x = torch.ones(4, d, dtype=torch.float64).requires_grad_()
    with use_backend(backend):
        out = multi_reduce(x, torch.tensor([[3, 1, 2, 0], [0, 0, 0, 1]]), ("max", "min"))
        grad = torch.autograd.grad(out[0].sum(), x)[0]
    assert grad[:, 0].tolist() == [0.0, 0.0, 0.0, 2.0] and torch.equal(grad, grad[:, :1].expand_as(grad))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("d", [3, 20])
def test_nan_reaches_its_own_targets_alone(d: int, backend: str) -> None:
    x = make_x(d)
    x[5, 1] = float("nan")
    edge_index = torch.tensor([[4, 5, 6, 7], [0, 0, 0, 1]])
    with use_backend(backend):
        out = multi_reduce(x, edge_index, ALL, 3)
    assert out[0, :, 1].isnan().all()
    out[0, :, 1] = 0
    assert not out.isnan().any()


def test_infinite_values_add_up_as_they_do() -> None:
    inf = float("inf")
    x = torch.tensor([[inf, 1.0, -inf], [2.0, inf, 3.0]]).repeat(1, 6)
    out = multi_reduce(x, torch.tensor([[0, 1], [0, 0]]), ("sum", "mean", "min", "max", "std"), 1)[0, :4, :3]
    assert out.tolist() == [[inf, inf, -inf], [inf, inf, -inf], [2.0, 1.0, -inf], [inf, inf, 3.0]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("reduces", [ALL, ("std",), ("var", "max"), ("mean", "min"), ("min", "max")], ids=",".join)
def test_first_and_second_derivatives(reduces: tuple[str, ...], backend: str) -> None:
    edge_index = torch.tensor([[0, 1, 2, 3, 4, 0, 2, 2], [1, 1, 1, 0, 0, 3, 3, 1]])
    x = make_x(2, rows=5).requires_grad_()
    with use_backend(backend):
        assert gradcheck(lambda x: multi_reduce(x, edge_index, reduces), (x,))
        assert gradgradcheck(lambda x: multi_reduce(x, edge_index, reduces), (x,))


def test_third_derivatives_are_those_of_plain_autograd() -> None:
    edge_index, x = make_edges("ragged"), make_x(3).requires_grad_()

    def thrice(run) -> Tensor:
        grad = x
        for _ in range(3):
            grad = torch.autograd.grad(run(grad).pow(2).sum(), x, create_graph=True)[0]
        return grad

    ours = thrice(lambda x: multi_reduce(x, edge_index, ("mean", "var", "std"), 30).flatten(1))
    torch.testing.assert_close(ours, thrice(lambda x: by_pyg(x, edge_index, ("mean", "var", "std"), 30)))


@pytest.mark.parametrize("kind", ["ragged", "hub"])
def test_same_bits_for_any_number_of_threads(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    edge_index = torch.randint(300, (2, 6000), generator=generator)
    if kind == "hub":
        edge_index[1, :3000] = 9
    x = torch.randn(300, 70, generator=generator).requires_grad_()
    threads = torch.get_num_threads()
    runs = []
    try:
        for count in (1, 2, 4, 1):
            torch.set_num_threads(count)
            out = multi_reduce(x, edge_index, ALL)
            runs.append((out, differentiate(out, x)))
    finally:
        torch.set_num_threads(threads)
    for out, grad in runs[1:]:
        assert torch.equal(out, runs[0][0]) and torch.equal(grad, runs[0][1])


@pytest.mark.parametrize("reduces", [ALL, ("mean", "sum"), ("max",)], ids=",".join)
def test_schema(reduces: tuple[str, ...]) -> None:
    graph = Graph.from_edge_index(make_edges("ragged"), (40, 30))
    args = (graph.rowptr, graph.col, *graph.transposed[:2], make_x(5).requires_grad_(), ",".join(reduces))
    torch.library.opcheck(torch.ops.graphlab.multi_reduce.default, args)
    saved = torch.ops.graphlab.multi_reduce(*args[:4], args[4].detach(), args[5])
    grad = torch.randn_like(saved[0]).requires_grad_()
    torch.library.opcheck(
        torch.ops.graphlab.multi_reduce_backward.default, (*args[:4], grad, args[4].detach(), *saved, args[5])
    )


@pytest.mark.parametrize("d", [1, 5, 20])
def test_batches_are_members_one_by_one(d: int) -> None:
    edge_index = make_edges("ragged")
    x = torch.stack([make_x(d) + k for k in range(3)])

    def loss(x: Tensor) -> Tensor:
        return multi_reduce(x, edge_index, ALL, 30).pow(2).sum()

    out = torch.vmap(lambda x: multi_reduce(x, edge_index, ALL, 30))(x)
    torch.testing.assert_close(out, torch.stack([multi_reduce(member, edge_index, ALL, 30) for member in x]))
    grads = torch.vmap(torch.func.grad(loss))(x)
    torch.testing.assert_close(grads, torch.stack([torch.func.grad(loss)(member) for member in x]))
    out, pull = torch.func.vjp(lambda x: multi_reduce(x, edge_index, ALL, 30), x[0])
    seeds = torch.randn(2, *out.shape, dtype=out.dtype)
    torch.testing.assert_close(torch.vmap(pull)(seeds)[0], torch.stack([pull(seed)[0] for seed in seeds]))


def test_compiles_without_a_break() -> None:
    edge_index, x = make_edges("ragged"), make_x(6).requires_grad_()
    compiled = torch.compile(
        lambda x: multi_reduce(x, edge_index, dim_size=30), fullgraph=True, dynamic=True, backend="aot_eager"
    )
    out, expected = compiled(x), multi_reduce(x, edge_index, dim_size=30)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(differentiate(out, x), differentiate(expected, x))


def test_rows_of_any_shape_and_layout() -> None:
    edge_index = make_edges("ragged")
    x = make_x(6).t().contiguous().t().requires_grad_()
    flat = multi_reduce(x, edge_index, FIVE, 30)
    torch.testing.assert_close(multi_reduce(x.view(40, 2, 3), edge_index, FIVE, 30), flat.unflatten(-1, (2, 3)))
    torch.testing.assert_close(differentiate(flat, x), differentiate(multi_reduce(x * 1, edge_index, FIVE, 30), x))
    assert multi_reduce(x[:, :0], edge_index, FIVE, 30).shape == (30, 5, 0)
    assert multi_reduce(x[:0], edge_index[:, :0], FIVE).shape == (0, 5, 6)


def test_one_name_may_stand_alone() -> None:
    assert torch.equal(
        multi_reduce(make_x(3), make_edges("ragged"), "max"), multi_reduce(make_x(3), make_edges("ragged"), ["max"])
    )


@pytest.mark.parametrize("reduces", [(), ("sum", "sum"), ("median",)], ids=str)
def test_bad_names_are_refused(reduces: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="'reduces' must hold one or more"):
        multi_reduce(make_x(3), make_edges("ragged"), reduces)


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="'edge_index' has targets from"):
        multi_reduce(make_x(3), make_edges("ragged"), dim_size=2)
    with pytest.raises(ValueError, match="has 40 source nodes by its own account, but 39 are asked for by 'x'"):
        multi_reduce(make_x(3, rows=39), Graph.from_edge_index(make_edges("ragged"), (40, 30)))


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="there are no kernels")
def test_kernels_refuse_what_would_read_elsewhere() -> None:
    raw = torch.ops.graphlab
    graph = Graph.from_edge_index(make_edges("hub"), (40, 30))
    (rowptr, col, x), (colptr, row, _) = (graph.rowptr, graph.col, make_x(20)), graph.transposed
    name = ",".join(ALL)
    saved = list(raw.multi_reduce(rowptr, col, None, None, x, name))
    for args, match in [
        ((rowptr, col + 40, None, None, x, name), "'col' must lie in"),
        ((rowptr + 1, col, None, None, x, name), "'rowptr' must run from 0"),
        ((rowptr, col.long(), None, None, x, name), "'col' must be of the same type"),
        ((rowptr, col, None, None, x[0], name), "'x' must have 2 dimensions"),
        ((rowptr, col, None, None, x, "median"), "'reduces' must name"),
        ((rowptr, col, None, None, x, "max,max"), "each aggregate once"),
    ]:
        with pytest.raises(RuntimeError, match=match):
            raw.multi_reduce(*args)
    grad, far = saved[0], saved[2] + 400
    for args, match in [
        ((None, None, grad, x, *saved), "'colptr' and 'row' are needed"),
        ((colptr, row + 30, grad, x, *saved), "'row' must lie in"),
        ((colptr, row, grad[:, 1:], x, *saved), "'grad' must be of the shape"),
        ((colptr, row, grad, x, saved[0][1:], *saved[1:]), "'out' must be of the shape"),
        ((colptr, row, grad, x, saved[0], saved[1][1:], *saved[2:]), "'mean' must be as the forward"),
        ((colptr, row, grad, x, *saved[:2], far, saved[3]), "'argmin' and 'argmax' must be positions"),
        ((colptr, row, grad, x, *saved[:3], saved[3].long()), "'argmax' must be as the forward"),
    ]:
        with pytest.raises(RuntimeError, match=match):
            raw.multi_reduce_backward(rowptr, col, *args, name)
