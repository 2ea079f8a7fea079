import pytest
import torch
from torch.library import opcheck

from graphlab.ops import (
    Graph,
    dot_attention,
    edge_attention_weights,
    gat_attention,
    gatv2_attention,
    use_backend,
)
from graphlab.ops.edge_attention import _edge_attention, _edge_attention_backward
from graphlab.ops.philox import keep_mask

ATTENTIONS = {"gat": gat_attention, "gatv2": gatv2_attention, "dot": dot_attention}
SOURCES, TARGETS, HUB = 23, 17, 5
SEED = torch.tensor([1234567890123456789])

kinds = pytest.mark.parametrize("kind", ATTENTIONS)
drops = pytest.mark.parametrize("dropout", [0.0, 0.4])


def make_edges(count=150, dtype=torch.int64):
    """Unsorted, with a hub of several chunks; the last two targets and the last source have no edge."""
    generator = torch.Generator().manual_seed(count)
    source = torch.randint(SOURCES - 1, (count,), generator=generator)
    target = torch.randint(TARGETS - 2, (count,), generator=generator)
    target[: count // 2] = HUB
    return torch.stack([source, target])[:, torch.randperm(count, generator=generator)].to(dtype)


def make_inputs(kind, heads, channels, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def rows(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()

    if kind == "gat":
        return [rows(SOURCES, heads), rows(TARGETS, heads), rows(SOURCES, heads, channels)]
    if kind == "gatv2":
        return [rows(SOURCES, heads, channels), rows(TARGETS, heads, channels), rows(heads, channels)]
    return [rows(TARGETS, heads, channels), rows(SOURCES, heads, channels), rows(SOURCES, heads, channels + 1)]


def plain_scores(kind, inputs, edge_index, negative_slope=0.2):
    j, i = edge_index.long()
    if kind == "gat":
        return torch.nn.functional.leaky_relu(inputs[0][j] + inputs[1][i], negative_slope), inputs[2][j]
    if kind == "gatv2":
        x = inputs[0][j]
        return (torch.nn.functional.leaky_relu(x + inputs[1][i], negative_slope) * inputs[2]).sum(-1), x
    query, key, value = inputs
    return (query[i] * key[j]).sum(-1) / query.size(2) ** 0.5, value[j]


def plain(kind, inputs, edge_index, mask=None):
    """One softmax per node, written out."""
    scores, value = plain_scores(kind, inputs, edge_index)
    out = []
    for i in range(TARGETS):
        own = (edge_index[1] == i).nonzero().flatten()
        weights = scores[own].softmax(0)
        weights = weights if mask is None else weights * mask[own].to(weights)
        out.append((weights.unsqueeze(-1) * value[own]).sum(0))
    return torch.stack(out)


def gradients(out, inputs):
    seed = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return torch.autograd.grad(out, inputs, seed)


def far(results, expected):
    """The largest error, each tensor's in units of its own largest value."""
    pairs = zip(results, expected, strict=True)
    return max(((a.double() - b.double()).abs().max() / b.abs().max().clamp(min=1e-3)).item() for a, b in pairs)


def errors(kind, inputs, dropout):
    """Of the op and of the formula in the same precision, values and gradients, against the formula in float64."""
    edge_index, heads = make_edges(), inputs[0].size(1)
    graph = Graph.from_edge_index(edge_index, (SOURCES, TARGETS))
    mask = keep_mask(SEED, torch.arange(edge_index.size(1)), heads, dropout) if dropout else None
    wide = [x.detach().double().requires_grad_() for x in inputs]
    out = ATTENTIONS[kind](*inputs, graph, dropout=dropout, seed=SEED)
    naive, exact = plain(kind, inputs, edge_index, mask), plain(kind, wide, edge_index, mask)
    assert out.dtype == inputs[0].dtype and out.shape == exact.shape
    assert out[TARGETS - 2 :].eq(0).all()
    expected = [exact.detach(), *gradients(exact, wide)]
    return [far([y.detach(), *gradients(y, inputs)], expected) for y in (out, naive)]


@kinds
@drops
@pytest.mark.parametrize("channels", [1, 3, 8, 16, 32, 64, 70])
@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_values_and_gradients_are_those_of_the_formula_in_float64(kind, heads, channels, dropout):
    assert errors(kind, make_inputs(kind, heads, channels), dropout)[0] <= 1e-12


@kinds
@drops
@pytest.mark.parametrize("channels", [1, 3, 8, 16, 32, 64, 70])
@pytest.mark.parametrize("heads", [1, 4, 8])
@pytest.mark.parametrize(("dtype", "least"), [(torch.float32, 2e-6), (torch.bfloat16, 1e-2)])
def test_the_error_is_at_most_twice_that_of_the_formula_in_low_precision(kind, heads, channels, dropout, dtype, least):
    own, naive = errors(kind, make_inputs(kind, heads, channels, dtype), dropout)
    assert own <= 2 * naive + least


@kinds
@drops
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_kernel_and_reference_agree_and_draw_the_same_mask(kind, dropout, dtype):
    results = []
    for backend in ("auto", "ref"):
        inputs = make_inputs(kind, 6, 16, dtype)
        with use_backend(backend):
            out = ATTENTIONS[kind](*inputs, make_edges_graph(), dropout=dropout, seed=SEED)
            results.append([out.detach(), *gradients(out, inputs)])
    assert far(*results) <= (1e-12 if dtype == torch.float64 else 1e-5)


def make_edges_graph():
    return Graph.from_edge_index(make_edges(), (SOURCES, TARGETS))


@kinds
def test_int32_indices_sorted_edges_and_graphs_give_the_same(kind):
    inputs, edge_index = make_inputs(kind, 2, 16), make_edges()
    expected = ATTENTIONS[kind](*inputs, make_edges_graph())
    assert ATTENTIONS[kind](*inputs, edge_index).equal(expected)
    assert ATTENTIONS[kind](*inputs, edge_index.int()).equal(expected)
    ordered = edge_index[:, edge_index[1].argsort(stable=True)]
    assert ATTENTIONS[kind](*inputs, ordered).equal(expected)
    graph = make_edges_graph()
    wide = Graph(graph.rowptr.long(), graph.col.long(), graph.perm.long(), SOURCES)
    out = ATTENTIONS[kind](*inputs, wide)
    assert out.equal(expected)
    for a, b in zip(gradients(out, inputs), gradients(expected, inputs), strict=True):
        assert a.equal(b)


@kinds
def test_no_edges_give_zeros_and_no_gradient(kind):
    inputs = make_inputs(kind, 2, 8)
    out = ATTENTIONS[kind](*inputs, torch.empty(2, 0, dtype=torch.int64))
    assert out.eq(0).all()
    assert all(g.eq(0).all() for g in gradients(out, inputs))


@kinds
@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (0, 0)])
def test_no_nodes(kind, sizes):
    sources, targets = sizes
    a = torch.zeros(sources, 2, 4, requires_grad=True)
    b = torch.zeros(targets, 2, 4, requires_grad=True)
    last = {"gat": a, "gatv2": torch.zeros(2, 4), "dot": a}[kind]
    first = {"gat": (a[..., 0], b[..., 0]), "gatv2": (a, b), "dot": (b, a)}[kind]
    out = ATTENTIONS[kind](*first, last, torch.empty(2, 0, dtype=torch.int64))
    out.sum().backward()
    assert out.shape == (targets, 2, 4)


@kinds
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_huge_scores_neither_overflow_nor_vanish(kind, dtype):
    factor = 1e4 if kind == "gat" else 1e2
    inputs = [(x * factor).detach().requires_grad_() for x in make_inputs(kind, 2, 16, dtype)]
    edge_index = make_edges()
    largest = plain_scores(kind, [x.double() for x in inputs], edge_index)[0].abs().max()
    assert largest > 1e4
    out = ATTENTIONS[kind](*inputs, edge_index)
    expected = plain(kind, [x.double() for x in inputs], edge_index)
    assert out.isfinite().all() and all(g.isfinite().all() for g in gradients(out, inputs))
    assert far([out.detach()], [expected.detach()]) <= {torch.float64: 1e-10, torch.float32: 2e-2}.get(dtype, 5e-2)


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_a_shift_of_all_scores_changes_nothing(shift):
    alpha_src, alpha_dst, value = make_inputs("gat", 2, 8, torch.float64)
    out = gat_attention(alpha_src, alpha_dst, value, make_edges(), negative_slope=1.0)
    moved = gat_attention(alpha_src, alpha_dst + shift, value, make_edges(), negative_slope=1.0)
    assert far([moved.detach()], [out.detach()]) <= 1e-10


def test_masked_edges_weigh_nothing_and_nan_stays_in_its_row():
    edge_index = torch.stack([torch.arange(100) % SOURCES, torch.zeros(100, dtype=torch.int64)])
    edge_index[1, 80:] = 1
    alpha_src, value = torch.zeros(SOURCES, 1), torch.randn(SOURCES, 1, 16)
    alpha_src[:20] = -torch.inf
    graph = Graph.from_edge_index(edge_index, (SOURCES, 2))
    out = gat_attention(alpha_src, torch.zeros(2, 1), value, graph)
    assert far(out[:1], [value[20:].mean(0)]) <= 1e-6
    value[10] = torch.nan
    dot = dot_attention(torch.zeros(2, 1, 4), torch.zeros(SOURCES, 1, 4), value, graph)
    assert dot[0].isnan().all() and dot[1].isfinite().all()


def test_the_exponential_is_accurate_over_its_whole_range():
    # The weight of an edge with score s beside one with score 0 is e^s / (1 + e^s).
    s = -torch.rand(4000) * 80
    count = s.numel()
    edge_index = torch.stack([torch.arange(count + 1), torch.arange(count + 1)])
    edge_index = torch.cat([edge_index[:, :count], torch.stack([torch.full((count,), count), torch.arange(count)])], 1)
    value = torch.cat([torch.ones(count), torch.zeros(1)]).view(-1, 1, 1)
    alpha = torch.cat([s, torch.zeros(1)]).view(-1, 1)
    out = gat_attention(alpha, torch.zeros(count, 1), value, edge_index, negative_slope=1.0).flatten()
    expected = s.double().sigmoid()
    assert ((out - expected).abs() / expected).max() <= 4 * torch.finfo(torch.float32).eps


def test_the_kernel_reads_the_mask_off_the_users_edge_order():
    # With one edge per target the softmax is 1, so that the output is the mask.
    count, heads = 1000, 5
    target = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    edge_index = torch.stack([torch.zeros(count, dtype=torch.int64), target])
    inputs = [torch.zeros(1, heads, requires_grad=True), torch.zeros(count, heads, requires_grad=True)]
    value = torch.ones(1, heads, 1, requires_grad=True)
    out = gat_attention(*inputs, value, edge_index, dropout=0.3, seed=SEED)
    mask = keep_mask(SEED, torch.arange(count), heads, 0.3)
    assert (out[target, :, 0] - mask).abs().max() <= 1e-6
    weights = torch.rand(count, heads, 1)
    (grad,) = torch.autograd.grad(out, value, weights)
    assert far([grad[0]], [(weights[target] * mask.unsqueeze(-1)).sum(0)]) <= 1e-5


@kinds
def test_all_and_nothing_dropped(kind):
    inputs = make_inputs(kind, 2, 8)
    assert ATTENTIONS[kind](*inputs, make_edges(), dropout=1.0).eq(0).all()
    kept = ATTENTIONS[kind](*inputs, make_edges(), dropout=0.0)
    torch.manual_seed(3)
    first, second = (ATTENTIONS[kind](*inputs, make_edges(), dropout=0.5) for _ in range(2))
    torch.manual_seed(3)
    assert ATTENTIONS[kind](*inputs, make_edges(), dropout=0.5).equal(first)
    assert not first.equal(second) and not first.equal(kept)


@kinds
@drops
@pytest.mark.parametrize("backend", ["auto", "ref"])
def test_first_and_second_derivatives_are_those_of_finite_differences(kind, dropout, backend):
    edge_index = torch.tensor([[0, 1, 2, 3, 0, 1, 3], [0, 0, 1, 1, 1, 3, 0]])
    graph = Graph.from_edge_index(edge_index, (4, 5))
    cut = {"gat": (4, 5, 4), "gatv2": (4, 5, 2), "dot": (5, 4, 4)}[kind]
    inputs = [x[:n].detach().requires_grad_() for x, n in zip(make_inputs(kind, 2, 3), cut, strict=True)]
    with use_backend(backend):

        def run(*inputs):
            return ATTENTIONS[kind](*inputs, graph, dropout=dropout, seed=SEED)

        assert torch.autograd.gradcheck(run, inputs)
        assert torch.autograd.gradgradcheck(run, inputs)


@kinds
def test_a_gradient_penalty_trains(kind):
    inputs = make_inputs(kind, 2, 4)
    results = []
    for attend in (lambda *x: ATTENTIONS[kind](*x, make_edges_graph()), lambda *x: plain(kind, x, make_edges())):
        grads = torch.autograd.grad(attend(*inputs).square().sum(), inputs, create_graph=True)
        sum(g.square().sum() for g in grads).backward()
        results.append([x.grad for x in inputs])
        for x in inputs:
            x.grad = None
    assert far(*results) <= 1e-10


def raw_arguments(kind, dropout, dtype=torch.float64):
    graph = make_edges_graph()
    first, second, third = make_inputs(kind, 2, 4, dtype)
    if kind == "gat":
        first, second = (x.detach().unsqueeze(-1).requires_grad_() for x in (first, second))
    source, target = (second, first) if kind == "dot" else (first, second)
    value, att = (None, third) if kind == "gatv2" else (third, None)
    edges = (graph.rowptr, graph.col, graph.perm, *graph.transposed)
    return edges, (source, target, value, att, SEED if dropout else None), (kind, 0.3, dropout)


@kinds
@drops
@pytest.mark.parametrize("backend", ["auto", "ref"])
def test_opcheck(kind, dropout, backend):
    edges, values, options = raw_arguments(kind, dropout)
    with use_backend(backend):
        namespace = torch.ops.graphlab if backend == "auto" else torch.ops.graphlab_ref
        opcheck(namespace.edge_attention.default, (*edges, *values, *options))
        out, lse = _edge_attention(*edges, *values, *options)
        results = (out.detach(), lse.detach(), torch.ones_like(out))
        opcheck(namespace.edge_attention_backward.default, (*edges, *values, *results, *options))


@kinds
def test_vmap_equals_a_loop(kind):
    inputs = [make_inputs(kind, 2, 4, seed=s) for s in range(3)]
    graph = make_edges_graph()

    def run(*x):
        return ATTENTIONS[kind](*x, graph, dropout=0.2, seed=SEED)

    batch = [torch.stack(parts).detach() for parts in zip(*inputs, strict=True)]
    expected = torch.stack([run(*x) for x in inputs])
    assert torch.vmap(run)(*batch).equal(expected)
    only_last = torch.vmap(run, in_dims=(None, None, 0))(batch[0][0], batch[1][0], batch[2])
    assert only_last.equal(torch.stack([run(*inputs[0][:2], x[2]) for x in inputs]))


@kinds
@drops
def test_compiles_without_a_break(kind, dropout):
    inputs, graph = make_inputs(kind, 2, 8, torch.float32), make_edges_graph()

    def run(*x):
        return ATTENTIONS[kind](*x, graph, dropout=dropout, seed=SEED)

    out = torch.compile(run, fullgraph=True, backend="aot_eager")(*inputs)
    expected = run(*inputs)
    assert out.equal(expected)
    for a, b in zip(gradients(out, inputs), gradients(expected, inputs), strict=True):
        assert a.equal(b)


def test_compiles_with_edges_of_any_number():
    def run(x, edge_index):
        return dot_attention(x, x, x, edge_index, dropout=0.3, seed=SEED)

    compiled = torch.compile(run, fullgraph=True, dynamic=True, backend="aot_eager")
    for nodes in (20, 23):
        generator = torch.Generator().manual_seed(nodes)
        x = torch.randn(nodes, 2, 8, generator=generator)
        edge_index = torch.randint(nodes, (2, 3 * nodes), generator=generator)
        assert compiled(x, edge_index).equal(run(x, edge_index))


@kinds
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_same_bits_for_any_number_of_threads(kind, dtype):
    count = 4000
    edge_index = torch.randint(500, (2, count), generator=torch.Generator().manual_seed(1))
    edge_index[1, :700] = 3
    rows = torch.randn(500, 4, 16, generator=torch.Generator().manual_seed(2)).to(dtype)
    last = {"gat": rows, "gatv2": rows[0], "dot": rows.flip(0)}[kind]
    first = [rows[..., 0], rows[..., 1]] if kind == "gat" else [rows, rows.roll(1, 0)]
    inputs = [x.clone().requires_grad_() for x in (*first, last)]
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4, 1):
            torch.set_num_threads(threads)
            out = ATTENTIONS[kind](*inputs, edge_index, dropout=0.2, seed=SEED)
            results.append([out, *gradients(out, inputs)])
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(a.equal(b) for a, b in zip(results[0], other, strict=True))


@kinds
def test_strided_inputs_and_one_tensor_in_two_places(kind):
    inputs = make_inputs(kind, 2, 8)
    strided = [torch.stack([x, x], -1)[..., 0] for x in inputs]
    assert not strided[0].is_contiguous()
    assert ATTENTIONS[kind](*strided, make_edges_graph()).equal(ATTENTIONS[kind](*inputs, make_edges_graph()))
    if kind == "dot":
        x = torch.randn(SOURCES, 2, 4, dtype=torch.float64, requires_grad=True)
        square = torch.randint(SOURCES, (2, 60), generator=torch.Generator().manual_seed(0))
        assert torch.autograd.gradcheck(lambda x: dot_attention(x, x, x, square), x)


def test_mixed_precisions_are_promoted_as_in_the_formula():
    x_src, x_dst, att = make_inputs("gatv2", 2, 8, torch.bfloat16)
    out = gatv2_attention(x_src, x_dst, att.float(), make_edges())
    assert out.dtype == torch.float32
    assert out.equal(gatv2_attention(x_src.float(), x_dst.float(), att.float(), make_edges()))
    half = gatv2_attention(x_src.half(), x_dst.half(), att.half(), make_edges())
    assert half.dtype == torch.float16 and far([half.detach()], [out.detach()]) <= 5e-3


@kinds
def test_weights_are_in_the_users_order_and_sum_to_the_output(kind):
    inputs, edge_index = make_inputs(kind, 2, 8), make_edges()
    source, target = (inputs[1], inputs[0]) if kind == "dot" else inputs[:2]
    weights = edge_attention_weights(kind, source, target, edge_index, inputs[2] if kind == "gatv2" else None)
    scores, value = plain_scores(kind, inputs, edge_index)
    own = edge_index[1] == HUB
    assert far([weights[own].detach()], [scores[own].softmax(0).detach()]) <= 1e-12
    out = torch.zeros(TARGETS, 2, value.size(2), dtype=value.dtype)
    out = out.index_add(0, edge_index[1], weights.unsqueeze(-1) * value)
    assert far([out.detach()], [ATTENTIONS[kind](*inputs, edge_index).detach()]) <= 1e-12


def test_nothing_is_kept_per_edge():
    count = 100_000
    edge_index = torch.randint(100, (2, count), generator=torch.Generator().manual_seed(1))
    x = torch.randn(100, 2, 16, requires_grad=True)
    graph = Graph.from_edge_index(edge_index, (100, 100))
    _ = graph.transposed
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        gatv2_attention(x, x, x[0], graph, dropout=0.3, seed=SEED).sum().backward()
    assert max(event.cpu_memory_usage for event in profile.events()) < count  # bytes


BAD = [
    (lambda: gat_attention(torch.zeros(3, 2, 1), torch.zeros(3, 2), torch.zeros(3, 2, 4), EDGE), "'alpha_src' must be"),
    (lambda: gat_attention(torch.zeros(3, 2), torch.zeros(3, 4), torch.zeros(3, 2, 4), EDGE), "'alpha_dst' must be"),
    (lambda: gat_attention(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3, 1, 4), EDGE), "'value' must be"),
    (lambda: gatv2_attention(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(2), EDGE), "'x_src' must be"),
    (lambda: gatv2_attention(X, torch.zeros(3, 2, 5), torch.zeros(2, 4), EDGE), "'x_dst' must be"),
    (lambda: gatv2_attention(X, X, torch.zeros(1, 2, 4), EDGE), "'att' must be"),
    (lambda: dot_attention(torch.zeros(3, 1, 4), X, X, EDGE), "'query' must be"),
    (lambda: dot_attention(X, X, torch.zeros(4, 2, 4), EDGE), "'value' must be"),
    (lambda: dot_attention(X, X, X, torch.tensor([[0], [3]])), "'edge_index' has targets"),
    (
        lambda: dot_attention(X, X, X, Graph.from_edge_index(EDGE, (4, 3))),
        "'edge_index' has 4 source nodes by its own account, but 3 are asked for by 'x'",
    ),
    (lambda: dot_attention(X, X, X, EDGE, dropout=1.5), "'dropout' must be a probability"),
    (lambda: dot_attention(X, X, X, EDGE, dropout=0.5, seed=torch.zeros(2)), "'seed' must be one int64"),
    (lambda: edge_attention_weights("sum", X, X, EDGE), "'score' must be one of"),
    (lambda: edge_attention_weights("gatv2", X, X, EDGE), "'att' belongs to 'gatv2'"),
]
EDGE, X = torch.tensor([[0, 1], [2, 0]]), torch.zeros(3, 2, 4)


@pytest.mark.parametrize(("call", "message"), BAD)
def test_a_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("position", "bad", "message"),
    [
        (0, torch.tensor([0, 1], dtype=torch.int32), "'rowptr'"),
        (1, torch.full((150,), SOURCES, dtype=torch.int32), "'col' must lie in"),
        (2, torch.full((150,), 150, dtype=torch.int32), "'perm' must lie in"),
        (6, torch.zeros(SOURCES, 2, 5), "'source'"),
        (7, torch.zeros(TARGETS, 2, 4, dtype=torch.float64), "'target' must be of the same type"),
        (7, torch.zeros(TARGETS + 1, 2, 4), "'rowptr' must have one entry more"),
        (8, torch.zeros(SOURCES, 3, 4), "'value' must have the rows and heads"),
        (9, torch.zeros(2, 4), "'gatv2' takes 'att'"),
        (11, "sum", "'score' must be"),
        (13, 2.0, "'dropout' must lie"),
        (13, 0.5, "'seed' must be"),
    ],
)
def test_the_raw_op_checks_all_it_reads(position, bad, message):
    edges, values, options = raw_arguments("dot", 0.0, torch.float32)
    arguments = [*edges, *values, *options]
    if not _has_kernels():
        pytest.skip("no compiled kernels")
    arguments[position] = bad
    with pytest.raises(RuntimeError, match=message), torch.no_grad():
        torch.ops.graphlab.edge_attention(*arguments)


def _has_kernels():
    return torch._C._dispatch_has_kernel_for_dispatch_key("graphlab::edge_attention", "CPU")


def test_the_raw_backward_checks_all_it_reads():
    if not _has_kernels():
        pytest.skip("no compiled kernels")
    edges, values, options = raw_arguments("dot", 0.0, torch.float32)
    with torch.no_grad():
        out, lse = _edge_attention(*edges, *values, *options)
        for bad in (
            (out[1:], lse, out),
            (out, lse[1:], out),
            (out, lse, out.double()),
            (out, lse.double(), out),
        ):
            with pytest.raises(RuntimeError, match="must"):
                _edge_attention_backward(*edges, *values, *bad, *options)
        turned = (*edges[:3], edges[3][:-1], *edges[4:])
        with pytest.raises(RuntimeError, match="'colptr'"):
            _edge_attention_backward(*turned, *values, out, lse, out, *options)
