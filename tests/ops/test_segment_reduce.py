import pytest
import torch
from hypothesis import given, settings

from graphlab.ops import kernels, segment_argreduce, segment_reduce, use_backend
from graphlab.ops.segment_reduce import (
    REDUCES,
    segment_arg_gather_op,
    segment_arg_scatter_op,
    segment_mul_backward_op,
    segment_reduce_op,
    segment_spread_op,
)
from tests.ops.ragged import counts, elements, group_of, pointer, seeds

WIDTHS = [1, 3, 16, 17, 64, 70, 128]
native = pytest.mark.skipif(bool(kernels.missing("_C")), reason="no compiled kernels")


@pytest.fixture(params=["auto", "ref"])
def backend(request):
    with use_backend(request.param):
        yield request.param


def of_torch(group, reduce):
    if reduce == "mul":
        return group.prod(0)
    if not len(group) or reduce in ("sum", "mean"):
        return group.sum(0) / (max(len(group), 1) if reduce == "mean" else 1)
    return group.amax(0) if reduce == "max" else group.amin(0)


@pytest.mark.parametrize("reduce", REDUCES)
@given(sizes=counts, seed=seeds)
@settings(max_examples=20)
def test_each_group_equals_torch(reduce, sizes, seed):
    x, order = elements(sizes, 5, seed), torch.randperm(sum(sizes))
    groups = x.split(sizes) if sizes else []
    expected = torch.stack([of_torch(g, reduce) for g in groups]) if sizes else x.new_zeros(0, 5)
    for name in ("auto", "ref"):
        with use_backend(name):
            by_ptr = segment_reduce(x, ptr=pointer(sizes), reduce=reduce)
            by_index = segment_reduce(x[order], group_of(sizes)[order], len(sizes), reduce=reduce)
        assert torch.allclose(by_ptr, expected, atol=1e-12) and torch.allclose(by_index, expected, atol=1e-12)


@native
@pytest.mark.parametrize("d", WIDTHS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.int64, torch.int32])
@pytest.mark.parametrize("is_sorted", [True, False])
def test_kernels_equal_the_reference(d, dtype, is_sorted):
    torch.manual_seed(0)
    index = torch.randint(0, 9, (60,))
    index[index == 4] = 5
    index = index.sort().values if is_sorted else index
    x = torch.randint(-3, 4, (60, d)).to(dtype) if not dtype.is_floating_point else torch.randn(60, d).to(dtype)
    for reduce in REDUCES:
        out, arg = segment_argreduce(x, index, 10, reduce=reduce)
        with use_backend("ref"):
            wide = x if not dtype.is_floating_point else x.double()
            expected, expected_arg = segment_argreduce(wide, index, 10, reduce=reduce)
        tolerance = {torch.bfloat16: 1e-2, torch.float32: 1e-5}.get(dtype, 1e-12)
        assert out.dtype == dtype and torch.allclose(out.double(), expected.double(), tolerance, tolerance)
        assert arg.equal(expected_arg)


def test_the_first_of_equals_is_chosen_and_gets_the_gradient(backend):
    x = torch.tensor([[1.0], [2.0], [2.0], [1.0]], requires_grad=True)
    out, arg = segment_argreduce(x, torch.tensor([1, 1, 1, 1]), 3, reduce="max")
    assert out.flatten().tolist() == [0.0, 2.0, 0.0] and arg.flatten().tolist() == [-1, 1, -1]
    out.sum().backward()
    assert x.grad is not None and x.grad.flatten().tolist() == [0.0, 1.0, 0.0, 0.0]


def test_nan_is_chosen_and_infinities_are_values(backend):
    x = torch.tensor([[1.0, -torch.inf], [torch.nan, -torch.inf], [3.0, -torch.inf]])
    out, arg = segment_argreduce(x, ptr=torch.tensor([0, 3]), reduce="max")
    assert out[0, 0].isnan() and arg[0, 0] == 1 and out[0, 1] == -torch.inf and arg[0, 1] == 0


@pytest.mark.parametrize("reduce", REDUCES)
def test_derivatives_to_second_order(backend, reduce):
    x = elements([3, 0, 4], 2, 1).requires_grad_()
    index = torch.tensor([0, 2, 2, 0, 2, 0, 2])
    run = lambda x: segment_reduce(x, index, 3, reduce=reduce)  # noqa: E731
    assert torch.autograd.gradcheck(run, (x,)) and torch.autograd.gradgradcheck(run, (x,))


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_products_have_right_derivatives_at_zero(backend, zeros):
    x = elements([4, 1], 1, 2)
    x[:zeros] = 0
    x.requires_grad_()
    run = lambda x: segment_reduce(x, ptr=torch.tensor([0, 4, 5]), reduce="mul")  # noqa: E731
    assert torch.autograd.gradcheck(run, (x,)) and torch.autograd.gradgradcheck(run, (x,))


@pytest.mark.parametrize("reduce", REDUCES)
def test_opcheck(reduce):
    ptr, perm = torch.tensor([0, 2, 2, 5]), torch.tensor([4, 0, 3, 1, 2])
    x = torch.randn(5, 3, requires_grad=True)
    for name in ("graphlab", "graphlab_ref"):
        op = getattr(torch.ops, name).segment_reduce.default
        torch.library.opcheck(op, (ptr, perm, x, reduce))
        torch.library.opcheck(op, (ptr, None, x, reduce))


def test_opcheck_of_the_derivatives():
    ptr, perm = torch.tensor([0, 2, 2, 5]), torch.tensor([4, 0, 3, 1, 2])
    x, y = torch.randn(5, 3, requires_grad=True), torch.randn(3, 3, requires_grad=True)
    arg = torch.tensor([[0, 1, 0], [-1, -1, -1], [2, 0, 1]], dtype=torch.int32)
    for name in ("graphlab", "graphlab_ref"):
        ops = getattr(torch.ops, name)
        torch.library.opcheck(ops.segment_spread.default, (ptr, perm, y, 5, True))
        torch.library.opcheck(ops.segment_arg_gather.default, (ptr, perm, x, arg))
        torch.library.opcheck(ops.segment_arg_scatter.default, (ptr, perm, y, arg, 5))
        torch.library.opcheck(ops.segment_mul_backward.default, (ptr, perm, y.detach(), x.detach()))


@pytest.mark.parametrize("reduce", REDUCES)
def test_vmap_over_rows_and_over_groups(backend, reduce):
    x, index = torch.randn(4, 6, 3), torch.tensor([0, 2, 2, 0, 1, 2])
    run = lambda x, i: segment_reduce(x, i, 4, reduce=reduce)  # noqa: E731
    expected = torch.stack([run(part, index) for part in x])
    assert torch.vmap(run, (0, None))(x, index).allclose(expected)
    indices = torch.stack([index.roll(k) for k in range(4)])
    expected = torch.stack([run(a, b) for a, b in zip(x, indices, strict=True)])
    assert torch.vmap(run)(x, indices).allclose(expected)
    x.requires_grad_()
    (batched,) = torch.autograd.grad(torch.vmap(run, (0, None))(x, index).square().sum(), x)
    (single,) = torch.autograd.grad(sum(run(part, index).square().sum() for part in x), x)
    assert batched.allclose(single, atol=1e-6)


@pytest.mark.parametrize("reduce", REDUCES)
def test_compiles_without_a_break(reduce):
    x, index = torch.randn(9, 5, requires_grad=True), torch.randint(0, 4, (9,))
    run = lambda x, i: segment_reduce(x, i, 4, reduce=reduce)  # noqa: E731
    compiled = torch.compile(run, fullgraph=True, dynamic=True, backend="aot_eager")
    out, seed = compiled(x, index), torch.randn(4, 5)
    assert out.allclose(run(x, index))
    (grad,) = torch.autograd.grad(out, x, seed)
    assert grad.allclose(torch.autograd.grad(run(x, index), x, seed)[0])


@native
def test_same_bits_for_any_number_of_threads():
    torch.manual_seed(0)
    index = torch.cat([torch.randint(0, 50, (4000,)), torch.full((4000,), 7)])
    x, found = torch.randn(8000, 70, requires_grad=True), []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 4, 1):
            torch.set_num_threads(threads)
            parts = []
            for reduce in REDUCES:
                out = segment_reduce(x, index, 60, reduce=reduce)
                parts += [out, torch.autograd.grad(out, x, out)[0]]
            found.append(torch.cat([p.detach() for p in parts]))
    finally:
        torch.set_num_threads(before)
    assert all(f.nan_to_num().equal(found[0].nan_to_num()) for f in found)


def test_shapes_integers_and_nothing_at_all(backend):
    x = torch.randn(6, 2, 3)
    assert segment_reduce(x, torch.tensor([1, 0, 1, 1, 0, 1])).shape == (2, 2, 3)
    assert segment_reduce(x.transpose(1, 2), torch.tensor([1, 0, 1, 1, 0, 1])).shape == (2, 3, 2)
    assert segment_reduce(x[:, 0, 0], ptr=torch.tensor([0, 6])).shape == (1,)
    for reduce in REDUCES:
        assert segment_reduce(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), 2, reduce=reduce).shape == (2, 3)
        assert segment_reduce(torch.zeros(4, 0), torch.zeros(4, dtype=torch.long), 2, reduce=reduce).shape == (2, 0)
    assert segment_reduce(torch.tensor([-1, -2, 5]), torch.tensor([0, 0, 2]), reduce="mean").tolist() == [-2, 0, 5]
    half = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float16)
    assert segment_reduce(half, torch.tensor([0, 1, 1])).tolist() == [1.0, 6.0]


def test_errors_name_the_argument():
    x = torch.randn(3, 2)
    with pytest.raises(ValueError, match="'reduce' must be one of"):
        segment_reduce(x, torch.tensor([0, 1, 1]), reduce="median")
    with pytest.raises(ValueError, match="'index' points to group 5"):
        segment_reduce(x, torch.tensor([0, 1, 5]), 3)
    with pytest.raises(ValueError, match="'ptr' must not decrease"):
        segment_reduce(x, ptr=torch.tensor([0, 2, 1, 3]))
    with pytest.raises(ValueError, match="one of 'index' and 'ptr'"):
        segment_reduce(x)


@native
def test_raw_ops_refuse_what_would_read_outside():
    ptr, x = torch.tensor([0, 2, 3]), torch.randn(3, 2)
    arg = torch.tensor([[2, 0], [0, 0]], dtype=torch.int32)
    for call, message in (
        (lambda: segment_reduce_op(torch.tensor([0, 2, 9]), None, x, "sum"), "'ptr' must run from 0"),
        (lambda: segment_reduce_op(ptr, torch.tensor([0, 1, 3]), x, "sum"), "'perm' must lie in"),
        (lambda: segment_reduce_op(ptr, torch.tensor([0, 1]), x, "sum"), "'perm' must have one entry"),
        (lambda: segment_spread_op(ptr, None, x, 3, False), "'y' must have 2 rows"),
        (lambda: segment_arg_gather_op(ptr, None, x, arg), "'arg' must be -1 or a position"),
        (lambda: segment_arg_scatter_op(ptr, None, x[:2], arg, 3), "'arg' must be -1 or a position"),
        (lambda: segment_mul_backward_op(ptr, None, x, x), "'grad' must have 2 rows"),
    ):
        with pytest.raises(RuntimeError, match=message):
            call()
