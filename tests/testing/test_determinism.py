import pytest
import torch

from graphlab.testing import check_determinism

from .specimens import Healthy, broken_laws


class Noisy(Healthy):
    """Noise of a few units in the last place, as from atomics in any order."""

    def fold(self, x, index, dim_size):
        out = super().fold(x, index, dim_size)
        return out * (1 + 1e-14 * torch.rand(1, dtype=torch.float64).to(x.dtype))


class NoisyBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * (1 + 1e-14 * torch.rand(1, dtype=torch.float64).to(grad.dtype))


class NoisyGradient(Healthy):
    def lift(self, x):
        return NoisyBackward.apply(super().lift(x))


@pytest.mark.parametrize("make", [Noisy, NoisyGradient])
def test_only_determinism_is_broken(make):
    assert broken_laws(make) == {"determinism"}


def test_backward_is_named():
    with pytest.raises(AssertionError, match="gradient of x of two runs"):
        check_determinism(NoisyGradient)
