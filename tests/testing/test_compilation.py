import shutil

import pytest
import torch

from graphlab.testing import check_compile

from .specimens import Healthy, broken_laws


class Breaks(Healthy):
    """Asks for a number in the middle, as a plan on the host does."""

    def fold(self, x, index, dim_size):
        if x.sum().item() > 1e30:
            return super().fold(0 * x, index, dim_size)
        return super().fold(x, index, dim_size)


class DiffersCompiled(Healthy):
    def lift(self, x):
        return super().lift(x) * (1.001 if torch.compiler.is_compiling() else 1.0)


class GradientDiffersCompiled(Healthy):
    def lift(self, x):
        return super().lift(x.detach() if torch.compiler.is_compiling() else x)


@pytest.mark.parametrize("make", [Breaks, DiffersCompiled, GradientDiffersCompiled])
def test_only_compile_is_broken(make):
    assert broken_laws(make) == {"compile"}


def test_gradient_is_named():
    with pytest.raises(AssertionError, match=r"fullgraph=True.*gradient of x.*error 1\."):
        check_compile(GradientDiffersCompiled)


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="inductor needs a C++ compiler")
def test_inductor():
    check_compile(Healthy, backend="inductor")
    with pytest.raises(AssertionError, match="backend='inductor'"):
        check_compile(DiffersCompiled, backend="inductor")
