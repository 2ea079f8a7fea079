import pytest
import torch
from hypothesis import given, settings

from graphlab.ops import kernels, segment_log_softmax, segment_logsumexp, segment_softmax, use_backend
from graphlab.ops.segment_softmax import segment_logsumexp_backward_op, segment_softmax_backward_op, segment_softmax_op
from tests.ops.ragged import counts, elements, group_of, pointer, seeds

OPS = [segment_softmax, segment_log_softmax, segment_logsumexp]
native = pytest.mark.skipif(bool(kernels.missing("_C")), reason="no compiled kernels")


@pytest.fixture(params=["auto", "ref"])
def backend(request):
    with use_backend(request.param):
        yield request.param


@given(counts, seeds)
@settings(max_examples=20)
def test_each_group_equals_torch(sizes, seed):
    x, order = elements(sizes, 3, seed), torch.randperm(sum(sizes))
    groups, n = (x.split(sizes) if sizes else []), len(sizes)
    index = group_of(sizes)[order]
    for name in ("auto", "ref"):
        with use_backend(name):
            for op, of_torch in ((segment_softmax, torch.softmax), (segment_log_softmax, torch.log_softmax)):
                expected = torch.cat([of_torch(g, 0) for g in groups]) if n else x
                assert op(x, ptr=pointer(sizes)).allclose(expected, atol=1e-13)
                assert op(x[order], index, n).allclose(expected[order], atol=1e-13)
            out = segment_logsumexp(x[order], index, n)
        expected = torch.stack([g.logsumexp(0) for g in groups]) if n else x.new_zeros(0, 3)
        assert out.allclose(expected, atol=1e-13)


@native
@pytest.mark.parametrize("d", [1, 2, 3, 4, 8, 15, 16, 17, 64, 70, 2500])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("is_sorted", [True, False])
def test_kernels_equal_the_reference_in_double_precision(d, dtype, is_sorted):
    torch.manual_seed(0)
    index = torch.cat([torch.randint(0, 9, (50,)), torch.full((900 if d < 100 else 9,), 3)])
    index = index.sort().values if is_sorted else index[torch.randperm(len(index))]
    x = torch.randn(len(index), d).mul(5).to(dtype)
    for op in OPS:
        out = op(x.requires_grad_(), index, 11)
        seed = torch.randn_like(out)
        (grad,) = torch.autograd.grad(
            out[:9] if op is segment_logsumexp else out, x, seed[: 9 if len(seed) == 11 else None]
        )
        exact = x.detach().double().requires_grad_()
        with use_backend("ref"):
            expected = op(exact, index, 11)
            used = expected[:9] if op is segment_logsumexp else expected
            (expected_grad,) = torch.autograd.grad(used, exact, seed.double()[: len(used)])
        tolerance = {torch.bfloat16: 2e-2, torch.float32: 2e-5}.get(dtype, 1e-11)
        assert torch.allclose(out.double(), expected, tolerance, tolerance)
        scale = expected_grad.abs().max()
        assert (grad - expected_grad).abs().max() <= tolerance * scale * (20 if dtype == torch.bfloat16 else 1)


@native
def test_exponentials_and_logarithms_are_as_precise_as_the_format():
    x = torch.linspace(-100, 0, 4001)
    pairs = torch.stack([x, torch.zeros_like(x)], 1).reshape(-1, 1)
    index = torch.arange(4001).repeat_interleave(2)
    out = segment_softmax(pairs, index, 4001).double().view(-1, 2)
    exact = pairs.double().view(-1, 2).softmax(1)
    relative = ((out - exact) / exact)[exact > 2e-38]
    assert relative.abs().max() <= 5e-7 and (out[exact <= 2e-38] <= 2e-38).all()
    total = segment_logsumexp(pairs.double(), index, 4001).view(-1)
    assert torch.allclose(total, pairs.double().view(-1, 2).logsumexp(1), rtol=1e-15, atol=1e-15)


def test_infinities_and_nan_are_treated_as_torch_treats_them(backend):
    inf, nan = torch.inf, torch.nan
    for values in (
        [-inf, -inf],
        [-inf, 1.0],
        [inf, 1.0],
        [inf, -inf],
        [nan, 1.0],
        [nan, -inf],
        [nan, inf],
        [1e38, -1e38],
    ):
        x = torch.tensor(values)
        ptr = torch.tensor([0, 2])
        assert segment_softmax(x, ptr=ptr).allclose(x.softmax(0), equal_nan=True)
        assert segment_log_softmax(x, ptr=ptr).allclose(x.log_softmax(0), equal_nan=True)
        assert segment_logsumexp(x, ptr=ptr).allclose(x.logsumexp(0, keepdim=True), equal_nan=True)


def test_groups_without_anything_finite_get_no_gradient(backend):
    x = torch.tensor([-torch.inf, -torch.inf, 1.0, 3.0], requires_grad=True)
    out = segment_logsumexp(x, torch.tensor([0, 0, 2, 2]), 4)
    assert out.isneginf().tolist() == [True, True, False, True]
    out.sum().backward()
    assert x.grad is not None and x.grad.tolist() == pytest.approx([0.0, 0.0, 0.1192029, 0.8807971])


@pytest.mark.parametrize("op", OPS)
def test_derivatives_to_second_order(backend, op):
    x = elements([3, 0, 4], 2, 1).requires_grad_()
    index = torch.tensor([0, 2, 2, 0, 2, 0, 2])
    run = lambda x: op(x, index, 3)[index] if op is segment_logsumexp else op(x, index, 3)  # noqa: E731
    assert torch.autograd.gradcheck(run, (x,)) and torch.autograd.gradgradcheck(run, (x,))


def test_third_derivatives():
    x = elements([3], 1, 1).requires_grad_()
    ptr = torch.tensor([0, 3])
    for op, of_torch in ((segment_softmax, torch.softmax), (segment_log_softmax, torch.log_softmax)):
        found = []
        for run in (lambda x, op=op: op(x, ptr=ptr), lambda x, of_torch=of_torch: of_torch(x, 0)):
            y = run(x)[0].sum()
            for _ in range(3):
                (y,) = torch.autograd.grad(y, x, create_graph=True)
                found.append(y)
                y = y[1].sum()
        for a, b in zip(found[:3], found[3:], strict=True):
            assert a.allclose(b, atol=1e-12)


@pytest.mark.parametrize("log", [False, True])
def test_opcheck(log):
    ptr, perm = torch.tensor([0, 2, 2, 5]), torch.tensor([4, 0, 3, 1, 2])
    x, g = torch.randn(5, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)
    table = torch.randn(3, 3, requires_grad=True)
    for name in ("graphlab", "graphlab_ref"):
        ops = getattr(torch.ops, name)
        for order in (perm, None):
            torch.library.opcheck(ops.segment_softmax.default, (ptr, order, x, log))
            torch.library.opcheck(ops.segment_softmax_backward.default, (ptr, order, x, g, log))
            torch.library.opcheck(ops.segment_logsumexp.default, (ptr, order, x))
            torch.library.opcheck(ops.segment_logsumexp_backward.default, (ptr, order, x, table, table))


@pytest.mark.parametrize("op", OPS)
def test_vmap(backend, op):
    x, index = torch.randn(4, 6, 3), torch.tensor([0, 2, 2, 0, 1, 2])
    indices = torch.stack([index.roll(k) for k in range(4)])
    assert torch.vmap(lambda x: op(x, index, 3))(x).allclose(torch.stack([op(part, index, 3) for part in x]))
    expected = torch.stack([op(a, b, 3) for a, b in zip(x, indices, strict=True)])
    assert torch.vmap(lambda a, b: op(a, b, 3))(x, indices).allclose(expected)


@pytest.mark.parametrize("op", OPS)
def test_compiles_without_a_break(op):
    x, index = torch.randn(9, 5, requires_grad=True), torch.randint(0, 3, (9,))
    compiled = torch.compile(lambda x, i: op(x, i, 4), fullgraph=True, dynamic=True, backend="aot_eager")
    out, expected = compiled(x, index), op(x, index, 4)
    assert out.allclose(expected)
    seed = torch.randn_like(out)
    assert torch.autograd.grad(out, x, seed)[0].allclose(torch.autograd.grad(expected, x, seed)[0])


@native
@pytest.mark.parametrize("d", [1, 4, 70])
def test_same_bits_for_any_number_of_threads(d):
    torch.manual_seed(0)
    index = torch.cat([torch.randint(0, 500, (30000,)), torch.full((9000,), 7)])
    x, found = torch.randn(39000, d, requires_grad=True), []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 4, 1):
            torch.set_num_threads(threads)
            outs = [op(x, index, 500) for op in OPS]
            found.append(torch.cat([t.detach() for o in outs for t in (o, torch.autograd.grad(o, x, o)[0])]))
    finally:
        torch.set_num_threads(before)
    assert all(f.equal(found[0]) for f in found)


def test_shapes_and_nothing_at_all(backend):
    x = torch.randn(6, 2, 3)
    index = torch.tensor([1, 0, 1, 1, 0, 1])
    assert segment_softmax(x, index).sum(0).allclose(torch.full((2, 3), 2.0))
    assert segment_softmax(x.transpose(1, 2), index).allclose(segment_softmax(x, index).transpose(1, 2))
    empty = torch.zeros(0, dtype=torch.long)
    assert segment_softmax(torch.zeros(0, 3), empty).shape == (0, 3)
    assert segment_log_softmax(torch.zeros(4, 0), torch.zeros(4, dtype=torch.long)).shape == (4, 0)
    assert segment_logsumexp(torch.zeros(0), empty, 2).isneginf().all()


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="'x' must be of a floating point type"):
        segment_softmax(torch.arange(3), torch.tensor([0, 0, 1]))
    with pytest.raises(ValueError, match="'index' must hold the group of each of the 3"):
        segment_log_softmax(torch.randn(3), torch.tensor([0, 0]))


@native
def test_raw_ops_refuse_what_would_read_outside():
    ptr, x = torch.tensor([0, 2, 3]), torch.randn(3, 2)
    for call, message in (
        (lambda: segment_softmax_op(torch.tensor([0, 4, 3]), None, x, False), "'ptr' must not decrease"),
        (lambda: segment_softmax_op(ptr, torch.tensor([0, -1, 2]), x, False), "'perm' must lie in"),
        (lambda: segment_softmax_backward_op(ptr, None, x, x[:2], False), "'grad' must have 3 rows"),
        (lambda: segment_logsumexp_backward_op(ptr, None, x, x, x[:2]), "'lse' must have 2 rows"),
    ):
        with pytest.raises(RuntimeError, match=message):
            call()
