import torch
from hypothesis import given

from graphlab.ops.segment import (
    segment_asinh_sum_sinh,
    segment_logsumexp,
    segment_max,
    segment_sum,
    segment_topk,
)
from tests.ops.ragged import counts, elements, group_of, largest, seeds

C = 3


def parts(sizes, seed):
    x, order = elements(sizes, C, seed), torch.randperm(sum(sizes))
    return x[order], group_of(sizes)[order], x.split(sizes) if sizes else []


@given(counts, seeds)
def test_each_reduction_equals_torch_on_each_group(sizes, seed):
    x, index, groups = parts(sizes, seed)
    n = len(sizes)
    for i, group in enumerate(groups):
        assert largest(segment_sum(x, index, n)[i] - group.sum(0)) <= 1e-12
        if len(group):
            assert segment_max(x, index, n)[i].equal(group.amax(0))
            assert largest(segment_logsumexp(x, index, n)[i] - group.logsumexp(0)) <= 1e-12
            assert largest(segment_asinh_sum_sinh(x, index, n)[i] - group.sinh().sum(0).asinh()) <= 1e-12


@given(counts, seeds)
def test_topk_equals_sorting_and_counts_ties(sizes, seed):
    x, index, groups = parts(sizes, seed)
    x = x.mul(2).round()
    fill = torch.tensor([-7.0, -8.0, -9.0], dtype=x.dtype)
    out = segment_topk(x, index, len(sizes), 3, fill)
    for i, group in enumerate(groups):
        padded = torch.cat([group.mul(2).round().sort(0, descending=True).values[:3], fill.repeat(3, 1)])[:3]
        assert out[i].equal(padded)


def test_an_empty_group_is_the_identity_of_each_reduction():
    x, index = torch.randn(2, C), torch.tensor([0, 0])
    assert segment_sum(x, index, 2)[1].eq(0).all()
    assert segment_logsumexp(x, index, 2)[1].eq(-torch.inf).all()
    assert segment_asinh_sum_sinh(x, index, 2)[1].eq(0).all()


def test_logsumexp_and_its_gradient_survive_large_and_missing_values():
    x = torch.tensor([[1e4], [-1e4], [-1e4]], requires_grad=True)
    out = segment_logsumexp(x, torch.tensor([0, 0, 1]), 3)
    assert out.tolist() == [[1e4], [-1e4], [-torch.inf]]
    out[:2].sum().backward()
    assert x.grad is not None and x.grad.tolist() == [[1.0], [0.0], [1.0]]


def test_asinh_sum_sinh_never_overflows_and_meets_at_the_seam():
    index = torch.zeros(2, dtype=torch.long)
    for a, b in [(400.0, 400.0), (-400.0, -400.0), (400.0, -300.0), (15.5, 14.0), (14.9, 15.1)]:
        x = torch.tensor([[a], [b]], dtype=torch.float64, requires_grad=True)
        out = segment_asinh_sum_sinh(x, index, 1)
        big = max(abs(a), abs(b))
        exact = (0.5 * (torch.tensor([a, b], dtype=torch.float64).sub(big).exp().sum()
                        - torch.tensor([-a, -b], dtype=torch.float64).sub(big).exp().sum()))  # fmt: skip
        expected = exact.sign() * (big + (2 * exact.abs()).log())
        assert abs(float(out.detach()) - float(expected)) <= 1e-9
        (grad,) = torch.autograd.grad(out, x)
        assert grad.isfinite().all()


def test_asinh_sum_sinh_has_a_slope_where_large_values_cancel():
    x = torch.tensor([[16.0], [-16.0]], dtype=torch.float64, requires_grad=True)
    out = segment_asinh_sum_sinh(x, torch.zeros(2, dtype=torch.long), 1)
    (grad,) = torch.autograd.grad(out.sum(), x)
    assert out.item() == 0.0 and torch.allclose(grad, torch.tensor(16.0).double().cosh().expand(2, 1))


def test_topk_keeps_nan():
    out = segment_topk(
        torch.tensor([[1.0], [torch.nan], [3.0]]), torch.zeros(3, dtype=torch.long), 1, 2, torch.zeros(1)
    )
    assert out[0, 0].isnan() and out[0, 1] == 3.0


def test_derivatives_to_second_order():
    x = elements([3, 0, 2], C, 0).requires_grad_()
    index, fill = group_of([3, 0, 2]), torch.zeros(C, dtype=torch.float64, requires_grad=True)
    for run in (segment_sum, segment_asinh_sum_sinh):
        assert torch.autograd.gradgradcheck(lambda x, run=run: run(x, index, 3), (x,))
    full = torch.tensor([0, 0, 0, 1, 1])
    assert torch.autograd.gradgradcheck(lambda x: segment_logsumexp(x, full, 2), (x,))
    assert torch.autograd.gradcheck(lambda x, f: segment_topk(x, index, 3, 2, f), (x, fill))
