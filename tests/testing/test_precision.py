import pytest
import torch
from torch_geometric.utils import scatter

from graphlab.testing import check_dtypes

from .specimens import Healthy, broken_laws


class Upcasts(Healthy):
    """Returns float32 for bfloat16."""

    def fold(self, x, index, dim_size):
        out = super().fold(x, index, dim_size)
        return out.float() if x.dtype == torch.bfloat16 else out


class Cancels(Healthy):
    """Adds a large constant and takes it away again, which float32 does not forgive."""

    def fold(self, x, index, dim_size):
        if x.dtype == torch.float64:
            return super().fold(x, index, dim_size)
        count = scatter(torch.ones_like(index), index, dim_size=dim_size).unsqueeze(-1)
        return scatter(self.lift(x) + 1e3, index, -2, dim_size) - 1e3 * count


def naive(aggr, x, index, dim_size):
    return scatter(aggr.lift(x), index, -2, dim_size)


class Careful(Healthy):
    """Sums in float64 and rounds once."""

    def fold(self, x, index, dim_size):
        lifted = (x.double() @ self.weight.double()).tanh()
        return scatter(lifted, index, -2, dim_size).to(x.dtype)


@pytest.mark.parametrize("make", [Upcasts, Cancels])
def test_only_dtypes_is_broken(make):
    assert broken_laws(make) == {"dtypes"}


def test_dtype_of_the_result_is_told():
    with pytest.raises(AssertionError, match=r"Saw: torch\.float32\. Expected: dtype of x"):
        check_dtypes(Upcasts)


def test_twice_the_naive_error_is_the_bound():
    check_dtypes(Healthy, naive=naive)
    check_dtypes(Careful, naive=naive)

    class Worse(Healthy):
        """Five roundings for one, only in bfloat16; within 32 machine epsilons."""

        def fold(self, x, index, dim_size):
            out = super().fold(x, index, dim_size)
            return out * (1 + 12 * torch.finfo(x.dtype).eps) if x.dtype == torch.bfloat16 else out

    check_dtypes(Worse, max_eps=32)
    with pytest.raises(AssertionError, match=r"bfloat16.*result against float64"):
        check_dtypes(Worse, naive=naive)


def test_gradient_is_judged_too():
    class Rounds(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad if grad.dtype == torch.float64 else grad * 1.01

    class BadGradient(Healthy):
        def lift(self, x):
            return Rounds.apply(super().lift(x))

    with pytest.raises(AssertionError, match=r"float32.*gradient against float64"):
        check_dtypes(BadGradient)


def test_aggregator_keeps_its_parameters():
    made = []

    def make():
        made.append(Healthy())
        return made[-1]

    check_dtypes(make, dtypes=(torch.bfloat16,))
    assert made[0].weight.dtype == torch.bfloat16
