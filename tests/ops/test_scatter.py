import itertools
from functools import partial

import pytest
import torch

import graphlab.ops.scatter as ours
from graphlab.ops import use_backend

INTEGERS = [torch.int64, torch.int32]
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
EXACT = [torch.int64, torch.int32, torch.float32, torch.float64]
REDUCES = ["sum", "add", "mean", "mul", "min", "max"]
SEGMENT_REDUCES = ["sum", "add", "mean", "min", "max"]
COMPOSITE = ["scatter_softmax", "scatter_log_softmax", "scatter_logsumexp", "scatter_std"]
# The shapes of src and index, and the dimension.
SCATTERS = [
    ((12,), (12,), 0),
    ((12, 3), (12,), 0),
    ((3, 12), (12,), -1),
    ((3, 12), (3, 12), -1),
    ((2, 12, 3), (12,), 1),
    ((2, 12, 3), (2, 12), 1),
    ((2, 12, 3), (1, 12), -2),
    ((2, 12, 3), (2, 12, 3), 1),
    ((4, 3, 5, 5), (4, 1, 5, 5), 2),
    ((0, 4), (0,), 0),
]
# The shape of src, and how many of its first dimensions index and indptr have of their own.
SEGMENTS = [((12,), 0), ((12, 3), 0), ((2, 12, 3), 1), ((2, 3, 12), 2), ((0, 5), 0)]


@pytest.fixture
def oracle():
    return pytest.importorskip(
        "torch_scatter", reason="torch-scatter is an optional extra: pip install graphlab[scatter]"
    )


@pytest.fixture(params=["auto", "ref"])
def backend(request):
    with use_backend(request.param):
        yield request.param


def values(shape, dtype):
    if dtype.is_floating_point:
        return torch.randn(shape, dtype=torch.float64).to(dtype)
    return torch.randint(-4, 5, shape).to(dtype)


def groups_of(shape, lead, sort=True):
    index = torch.randint(0, 4, (*shape[:lead], shape[lead]))
    return index.sort(-1).values if sort else index


def bounds_of(shape, lead):
    length = shape[lead]
    inner = torch.randint(0, length + 1, (*shape[:lead], 4)).sort(-1).values
    ends = inner.new_zeros(*shape[:lead], 1)
    return torch.cat([ends, inner, ends + length], -1)


def agree(found, expected):
    if isinstance(expected, tuple):
        return all(agree(a, b) for a, b in zip(found, expected, strict=True))
    tolerance = {torch.float16: 2e-2, torch.bfloat16: 1e-1, torch.float32: 1e-5, torch.float64: 1e-11}
    same = found.shape == expected.shape and found.dtype == expected.dtype
    rtol = tolerance.get(expected.dtype, 0.0)
    return same and torch.allclose(found.double(), expected.double(), rtol, rtol)


def naive(src, index, dim, size, reduce):
    """Element by element, in Python."""
    dim %= src.dim()
    index = index.view(*[1] * dim, -1, *[1] * (src.dim() - dim - 1)) if index.dim() == 1 else index
    index = index.reshape(*index.shape, *[1] * (src.dim() - index.dim())).expand(src.shape)
    shape = (*src.shape[:dim], size, *src.shape[dim + 1 :])
    found: dict = {}
    for at in itertools.product(*map(range, src.shape)):
        to = (*at[:dim], int(index[at]), *at[dim + 1 :])
        found.setdefault(to, []).append((src[at].item(), at[dim]))
    out = torch.full(shape, 1.0 if reduce == "mul" else 0.0, dtype=torch.float64)
    arg = torch.full(shape, src.size(dim))
    for to, held in found.items():
        group = torch.tensor([value for value, _ in held], dtype=torch.float64)
        if reduce in ("min", "max"):
            out[to] = group.min() if reduce == "min" else group.max()
            arg[to] = next(place for value, place in held if value == out[to])
        else:
            out[to] = {"mul": group.prod, "mean": group.mean}.get(reduce, group.sum)()
    if reduce == "mean" and not src.is_floating_point():
        out = out.floor()
    return out.to(src.dtype), arg


def test_the_published_examples():
    index = torch.tensor([[4, 5, 4, 2, 3], [0, 0, 2, 2, 1]])
    src = torch.tensor([[2, 0, 1, 4, 3], [0, 2, 1, 3, 4]])
    out, arg = ours.scatter_max(src, index, dim=-1)
    assert out.tolist() == [[0, 0, 4, 3, 2, 0], [2, 4, 3, 0, 0, 0]]
    assert arg.tolist() == [[5, 5, 3, 4, 0, 1], [1, 4, 3, 5, 5, 5]]
    out, arg = ours.scatter_min(-src, index, dim=-1)
    assert out.tolist() == [[0, 0, -4, -3, -2, 0], [-2, -4, -3, 0, 0, 0]]
    assert arg.tolist() == [[5, 5, 3, 4, 0, 1], [1, 4, 3, 5, 5, 5]]
    zeros, ones = torch.zeros(2, 6, dtype=torch.long), torch.ones(2, 6, dtype=torch.long)
    assert ours.scatter_add(src, index, out=zeros).tolist() == [[0, 0, 4, 3, 3, 0], [2, 4, 4, 0, 0, 0]]
    assert ours.scatter_mean(src.float(), index).tolist() == [[0, 0, 4, 3, 1.5, 0], [1, 4, 2, 0, 0, 0]]
    factors = torch.tensor([[2, 0, 3, 4, 3], [2, 3, 4, 2, 4]])
    assert ours.scatter_mul(factors, index, out=ones).tolist() == [[1, 1, 4, 3, 6, 0], [6, 4, 8, 1, 1, 1]]


def test_the_published_shapes():
    src = torch.randn(10, 6, 64)
    for reduce in SEGMENT_REDUCES:
        out = ours.scatter(src, torch.tensor([0, 1, 0, 1, 2, 1]), dim=1, reduce=reduce)
        assert out.shape == (10, 3, 64)
        assert ours.segment_coo(src, torch.tensor([[0, 0, 1, 1, 1, 2]]), reduce=reduce).shape == (10, 3, 64)
        assert ours.segment_csr(src, torch.tensor([[0, 2, 5, 6]]), reduce=reduce).shape == (10, 3, 64)
    by_coo = ours.segment_coo(src, torch.tensor([[0, 0, 1, 1, 1, 2]]))
    assert by_coo.equal(ours.segment_csr(src, torch.tensor([[0, 2, 5, 6]])))
    assert by_coo.equal(ours.scatter(src, torch.tensor([0, 0, 1, 1, 1, 2]), dim=1))


def test_every_name_of_torch_scatter_is_there(oracle):
    public = {name for name in dir(oracle) if name.split("_")[0] in ("scatter", "segment", "gather")}
    assert public <= set(dir(ours)) and set(oracle.composite.__all__) == set(ours.composite.__all__)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64])
@pytest.mark.parametrize("case", SCATTERS)
def test_scatter_equals_loops(backend, case, dtype):
    torch.manual_seed(0)
    shape, index_shape, dim = case
    src, index = values(shape, dtype), torch.randint(0, 4, index_shape)
    for reduce in REDUCES:
        expected, arg = naive(src, index, dim, 6, reduce)
        assert agree(ours.scatter(src, index, dim, None, 6, reduce), expected)
        if reduce in ("min", "max"):
            assert getattr(ours, f"scatter_{reduce}")(src, index, dim, None, 6)[1].equal(arg)


@pytest.mark.parametrize("dtype", INTEGERS + FLOATS)
@pytest.mark.parametrize("case", SCATTERS)
def test_scatter_equals_torch_scatter(oracle, case, dtype):
    torch.manual_seed(1)
    shape, index_shape, dim = case
    src, index = values(shape, dtype), torch.randint(0, 4, index_shape)
    for reduce, size in itertools.product(REDUCES, (None, 6)):
        if reduce == "mul" and not src.numel():
            continue  # an empty product is 1 here, and 0 there where all of src is empty
        name = f"scatter_{reduce}"
        assert agree(
            getattr(ours, name)(src, index, dim, None, size), getattr(oracle, name)(src, index, dim, None, size)
        )
        if size is None or dtype not in EXACT:
            continue
        given = values([size if i == dim % len(shape) else n for i, n in enumerate(shape)], dtype)
        mine, theirs = given.clone(), given.clone()
        found, expected = getattr(ours, name)(src, index, dim, mine), getattr(oracle, name)(src, index, dim, theirs)
        assert agree(found, expected) and agree(mine, theirs)
        assert (found[0] if isinstance(found, tuple) else found) is mine


@pytest.mark.parametrize("dtype", INTEGERS + FLOATS)
@pytest.mark.parametrize("case", SEGMENTS)
def test_segments_equal_torch_scatter(oracle, case, dtype):
    torch.manual_seed(2)
    shape, lead = case
    src, index, indptr = values(shape, dtype), groups_of(shape, lead), bounds_of(shape, lead)
    for reduce in SEGMENT_REDUCES:
        coo, csr = f"segment_{reduce}_coo", f"segment_{reduce}_csr"
        for size in (None, 6):
            assert agree(getattr(ours, coo)(src, index, None, size), getattr(oracle, coo)(src, index, None, size))
        for bounds in (indptr, indptr[..., 1:-1]):
            assert agree(getattr(ours, csr)(src, bounds), getattr(oracle, csr)(src, bounds))
        given = values((*shape[:lead], 5, *shape[lead + 1 :]), dtype)
        if not src.numel():
            continue  # torch_scatter then leaves the given result as it is
        mine, theirs = given.clone(), given.clone()
        assert agree(getattr(ours, csr)(src, indptr, mine), getattr(oracle, csr)(src, indptr, theirs))
        assert agree(mine, theirs)
        # With more dimensions, or where the given value is kept, torch_scatter 2.1.2 mixes up neighbouring groups.
        if lead == 0 and dtype in EXACT:
            mine, theirs = given.clone(), given.clone()
            getattr(ours, coo)(src, index, mine), getattr(oracle, coo)(src, index, theirs)
            assert agree(mine, theirs)
    if not src.numel():
        return  # torch_scatter's gathers then divide by zero and end the process
    table = values((*shape[:lead], 5, *shape[lead + 1 :]), dtype)
    assert agree(ours.gather_csr(table, indptr), oracle.gather_csr(table, indptr))
    assert agree(ours.gather_coo(table, index), oracle.gather_coo(table, index))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", SCATTERS[:-1])
def test_composite_functions_equal_torch_scatter(oracle, case, dtype):
    torch.manual_seed(3)
    shape, index_shape, dim = case
    src, index = values(shape, dtype), torch.randint(0, 4, index_shape)
    for name, size in itertools.product(COMPOSITE, (None, 6)):
        expected = getattr(oracle.composite, name)(src, index, dim, dim_size=size)
        assert agree(getattr(ours.composite, name)(src, index, dim, dim_size=size), expected)
    biased = oracle.scatter_std(src, index, dim, dim_size=6, unbiased=False)
    assert agree(ours.scatter_std(src, index, dim, dim_size=6, unbiased=False), biased)
    given = values([6 if i == dim % len(shape) else n for i, n in enumerate(shape)], dtype).abs()
    mine, theirs = given.clone(), given.clone()
    assert agree(ours.scatter_std(src, index, dim, mine), oracle.scatter_std(src, index, dim, theirs))
    assert agree(mine, theirs)


@pytest.mark.parametrize("reduce", SEGMENT_REDUCES)
def test_the_three_ways_to_name_groups_agree(backend, reduce):
    torch.manual_seed(4)
    for shape, lead in SEGMENTS:
        src, index = values(shape, torch.float64), groups_of(shape, lead)
        counts = torch.zeros(*shape[:lead], 4, dtype=torch.long).scatter_add(-1, index, torch.ones_like(index))
        indptr = torch.cat([counts.new_zeros(*shape[:lead], 1), counts.cumsum(-1)], -1)
        expected = ours.scatter(src, index, lead, None, 4, reduce)
        assert ours.segment_coo(src, index, None, 4, reduce).allclose(expected)
        assert ours.segment_csr(src, indptr, None, reduce).allclose(expected)
        table = values((*shape[:lead], 4, *shape[lead + 1 :]), torch.float64)
        assert ours.gather_coo(table, index).equal(ours.gather_csr(table, indptr))
        held = torch.empty_like(src)
        assert ours.gather_coo(table, index, held) is held and held.equal(ours.gather_csr(table, indptr))


def test_given_results_take_part_as_documented(backend):
    src, index = torch.tensor([5.0, 1.0, 3.0]), torch.tensor([0, 0, 2])
    given = torch.tensor([2.0, 4.0, 7.0])
    assert ours.scatter_sum(src, index, out=given.clone()).tolist() == [8, 4, 10]
    assert ours.scatter_mean(src, index, out=given.clone()).tolist() == [4, 4, 10]
    assert ours.scatter_mul(src, index, out=given.clone()).tolist() == [10, 4, 21]
    assert [t.tolist() for t in ours.scatter_max(src, index, out=given.clone())] == [[5, 4, 7], [0, 3, 3]]
    assert [t.tolist() for t in ours.scatter_min(src, index, out=given.clone())] == [[1, 4, 3], [1, 3, 2]]
    assert ours.segment_csr(src, torch.tensor([0, 2, 2, 3]), given.clone()).tolist() == [6, 0, 3]
    expected = torch.tensor([[2.0, 5.0, 1.0], [4.0, -torch.inf, -torch.inf], [7.0, 3.0, -torch.inf]]).logsumexp(1)
    assert ours.scatter_logsumexp(src, index, out=given.clone()).allclose(expected)
    assert ours.scatter_logsumexp(src, index).tolist()[1] == 0
    strided = torch.zeros(2, 3).t()[:, 0]
    assert ours.scatter_sum(src, index, out=strided) is strided and strided.tolist() == [6, 0, 3]


def test_nan_and_infinity_stay():
    src, index = torch.tensor([torch.nan, 1.0, -torch.inf]), torch.tensor([0, 0, 1])
    out, arg = ours.scatter_max(src, index)
    assert out[0].isnan() and out[1] == -torch.inf and arg.tolist() == [0, 2]
    kept = ours.scatter_max(src[1:], index[1:], out=torch.tensor([torch.nan, 0.0]))[0]
    assert kept[0].isnan() and kept[1] == 0


@pytest.mark.parametrize("case", SCATTERS[:3] + SCATTERS[5:8])
def test_scatter_has_right_derivatives_of_both_orders(case):
    torch.manual_seed(5)
    shape, index_shape, dim = case
    shape = tuple(min(n, 5) for n in shape)
    src = values(shape, torch.float64).requires_grad_()
    index = torch.randint(0, 3, tuple(min(n, 5) for n in index_shape))
    for name in [*(f"scatter_{r}" for r in REDUCES), *COMPOSITE]:

        def run(src, name=name):
            out = getattr(ours, name)(src, index, dim, dim_size=4)
            return out[0] if isinstance(out, tuple) else out

        assert torch.autograd.gradcheck(run, (src,)) and torch.autograd.gradgradcheck(run, (src,))


@pytest.mark.parametrize("reduce", SEGMENT_REDUCES)
def test_segments_and_gathers_have_right_derivatives_of_both_orders(reduce):
    torch.manual_seed(6)
    for shape, lead in (((5,), 0), ((5, 2), 0), ((2, 5, 2), 1)):
        src = values(shape, torch.float64).requires_grad_()
        table = values((*shape[:lead], 5, *shape[lead + 1 :]), torch.float64).requires_grad_()
        index, indptr = groups_of(shape, lead), bounds_of(shape, lead)
        for x, run in (
            (src, partial(ours.segment_coo, index=index, dim_size=4, reduce=reduce)),
            (src, partial(ours.segment_csr, indptr=indptr, reduce=reduce)),
            (src, partial(ours.segment_csr, indptr=indptr[..., 1:-1], reduce=reduce)),
            (table, partial(ours.gather_coo, index=index)),
            (table, partial(ours.gather_csr, indptr=indptr)),
        ):
            assert torch.autograd.gradcheck(run, (x,)) and torch.autograd.gradgradcheck(run, (x,))


@pytest.mark.parametrize("name", [*(f"scatter_{r}" for r in REDUCES), "scatter_logsumexp", "scatter_std"])
def test_given_results_get_gradients(name):
    src = values((5, 2), torch.float64).requires_grad_()
    given = values((3, 2), torch.float64).abs().requires_grad_()

    def run(src, given):
        out = getattr(ours, name)(src, torch.tensor([0, 2, 0, 0, 2]), 0, given.clone())
        return out[0] if isinstance(out, tuple) else out

    assert torch.autograd.gradcheck(run, (src, given)) and torch.autograd.gradgradcheck(run, (src, given))


def test_deviations_of_equal_elements_have_no_slope():
    src = torch.tensor([2.0, 2.0, 5.0], requires_grad=True)
    ours.scatter_std(src, torch.tensor([0, 0, 1])).sum().backward()
    assert src.grad is not None and src.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("reduce", REDUCES)
def test_nothing_at_all(backend, reduce):
    src, nothing = torch.randn(0, 0, 0, 16, requires_grad=True), torch.zeros(0, dtype=torch.long)
    runs = [lambda: ours.scatter(src, nothing, 0, None, 0, reduce)]
    if reduce != "mul":
        runs += [lambda: ours.segment_coo(src, nothing, None, 0, reduce)]
        runs += [lambda: ours.segment_csr(src, nothing, None, reduce)]
    for run in [*runs, lambda: ours.gather_coo(src, nothing), lambda: ours.gather_csr(src, nothing)]:
        out = run()
        assert out.shape == (0, 0, 0, 16)
        out.sum().backward()
    out = ours.scatter(torch.zeros(0, 3), nothing, 0, None, 2, reduce)
    assert out.tolist() == [[float(reduce == "mul")] * 3] * 2


@pytest.mark.parametrize("reduce", REDUCES)
def test_vmap(reduce):
    src, index = torch.randn(4, 6, 3), torch.tensor([0, 2, 2, 0, 1, 2])
    indices = torch.stack([index.roll(k) for k in range(4)])
    run = lambda src, index: ours.scatter(src, index, 0, None, 4, reduce)  # noqa: E731
    wide = lambda src, index: run(src, index.view(-1, 1).expand(6, 3))  # noqa: E731
    full = lambda src, index: run(src, index.view(-1, 1) + torch.tensor([0, 1, 0]))  # noqa: E731
    for f in (run, wide, full):
        assert torch.vmap(f, (0, None))(src, index).allclose(torch.stack([f(part, index) for part in src]))
        expected = torch.stack([f(a, b) for a, b in zip(src, indices, strict=True)])
        assert torch.vmap(f)(src, indices).allclose(expected)
    if reduce != "mul":
        indptr = torch.tensor([0, 1, 1, 5])
        expected = torch.stack([ours.segment_csr(part, indptr, None, reduce) for part in src])
        assert torch.vmap(lambda x: ours.segment_csr(x, indptr, None, reduce))(src).allclose(expected)


@pytest.mark.parametrize("reduce", REDUCES)
def test_compiles_without_a_break(reduce):
    src, index = torch.randn(2, 9, 3, requires_grad=True), torch.randint(0, 4, (9,))
    indptr, both = torch.tensor([[0, 2, 2, 8]]), torch.randint(0, 4, (2, 9))
    runs = [lambda x: ours.scatter(x, index, 1, None, 4, reduce), lambda x: ours.scatter(x, both, 1, None, 4, reduce)]
    if reduce != "mul":
        runs += [lambda x: ours.segment_csr(x, indptr, None, reduce)]
    for run in runs:
        out, expected = torch.compile(run, fullgraph=True, backend="aot_eager")(src), run(src)
        seed = torch.randn_like(expected)
        assert out.allclose(expected)
        assert torch.autograd.grad(out, src, seed)[0].allclose(torch.autograd.grad(expected, src, seed)[0])


@pytest.mark.parametrize("name", COMPOSITE)
def test_composite_functions_compile_and_batch(name):
    src, index = torch.randn(2, 9, 3), torch.randint(0, 4, (9,))
    run = lambda x: getattr(ours, name)(x, index, 0, dim_size=4)  # noqa: E731
    expected = torch.stack([run(part) for part in src])
    assert torch.vmap(run)(src).allclose(expected)
    assert torch.compile(run, fullgraph=True, backend="aot_eager")(src[0]).allclose(expected[0])


def test_same_bits_for_any_number_of_threads():
    torch.manual_seed(7)
    src, index = torch.randn(3, 20000, 5), torch.randint(0, 90, (20000,))
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4, 1):
            torch.set_num_threads(threads)
            outs = [ours.scatter(src, index, 1, None, 100, r) for r in REDUCES]
            found.append(torch.cat([*outs, ours.scatter_softmax(src, index, 1), ours.scatter_std(src, index, 1)], 1))
    finally:
        torch.set_num_threads(before)
    assert all(f.nan_to_num().equal(found[0].nan_to_num()) for f in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, i: ours.scatter(x, i, 0, reduce="median"), "'reduce' must be 'sum'"),
        (lambda x, i: ours.segment_coo(x, i, reduce="mul"), "'reduce' must be 'sum'"),
        (lambda x, i: ours.segment_csr(x, torch.tensor([0, 4]), reduce="mul"), "'reduce' must be 'sum'"),
        (lambda x, i: ours.scatter(x, i, 2), "'dim' must lie in"),
        (lambda x, i: ours.scatter(x, i[:3], 0), "'index' of shape .* cannot be broadcast"),
        (lambda x, i: ours.scatter(x, i.float(), 0), "'index' must be int64 or int32"),
        (lambda x, i: ours.scatter(x, i, 0, dim_size=2), "'index' points to group 2"),
        (lambda x, i: ours.scatter(x, i.view(-1, 1).repeat(1, 2), 0, dim_size=2), "'index' must lie in"),
        (lambda x, i: ours.scatter(x, i, 0, torch.zeros(3, 5)), "'out' must be torch.float32 of the shape"),
        (lambda x, i: ours.scatter(x, i, 0, torch.zeros(3, 2).double()), "'out' must be torch.float32 of the shape"),
        (lambda x, i: ours.scatter_softmax(x.long(), i, 0), "'src' must be of a floating point type"),
        (lambda x, i: ours.segment_csr(x, torch.tensor([0, 9])), "'indptr' must lie in"),
        (lambda x, i: ours.segment_csr(x, torch.tensor([0, 3, 2, 4])), "must not decrease"),
        (lambda x, i: ours.segment_csr(x, torch.tensor([0, 2, 4]), torch.zeros(3, 2)), "'out' must hold 2 groups"),
        (lambda x, i: ours.segment_csr(x, torch.zeros(1, 1, 2, dtype=torch.long)), "'indptr' must have 1 to 2"),
        (lambda x, i: ours.gather_csr(x, torch.tensor([0, 1])), "'src' must hold one value for each of the 1 groups"),
        (lambda x, i: ours.gather_coo(x, torch.zeros(1, 1, 1, dtype=torch.long)), "'index' must have 1 to 2"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.randn(4, 2), torch.tensor([0, 2, 1, 0]))


def test_compiled_code_refuses_an_index_outside():
    run = torch.compile(lambda x, i: ours.scatter(x, i, 1, None, 2), fullgraph=True, backend="aot_eager")
    with pytest.raises(Exception, match="index"):
        run(torch.randn(2, 3), torch.tensor([[0, 1, 2], [0, 1, 1]]))
    with pytest.raises(Exception, match="ptr"):
        torch.compile(ours.segment_csr, fullgraph=True, backend="aot_eager")(torch.randn(3), torch.tensor([0, 9]))
