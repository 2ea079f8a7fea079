import pytest
import torch

from graphlab.testing import check_determinism

from .specimens import Healthy, broken_laws


def noisy(x):
    # An own draw per entry: never the same bits twice. At most 18 machine epsilons: the laws of precision allow 32.
    return x * (1 + 4e-15 * torch.rand(x.shape, dtype=torch.float64)).to(x.dtype)


class Noisy(Healthy):
    """Noise of a few units in the last place, as from atomics in any order."""

    def fold(self, x, index, dim_size):
        return noisy(super().fold(x, index, dim_size))


class NoisyBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return noisy(grad)


class NoisyGradient(Healthy):
    def lift(self, x):
        return NoisyBackward.apply(super().lift(x))


@pytest.mark.parametrize("make", [Noisy, NoisyGradient])
def test_only_determinism_is_broken(make):
    assert broken_laws(make) == {"determinism"}


def test_backward_is_named():
    with pytest.raises(AssertionError, match="gradient of x of two runs"):
        check_determinism(NoisyGradient)
