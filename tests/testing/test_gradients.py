import pytest

from graphlab.testing import check_gradients

from .specimens import Healthy, WrongFirst, WrongSecond, broken_laws


class FirstIsWrong(Healthy):
    def lift(self, x):
        return WrongFirst.apply(super().lift(x))


class SecondIsWrong(Healthy):
    def lift(self, x):
        return WrongSecond.apply(super().lift(x))


class ParameterIsCutOff(Healthy):
    """Right with respect to x, wrong with respect to the weight."""

    def lift(self, x):
        return (x @ (0.5 * self.weight + 0.5 * self.weight.detach())).tanh()


@pytest.mark.parametrize("make", [FirstIsWrong, SecondIsWrong, ParameterIsCutOff])
def test_only_gradients_is_broken(make):
    assert broken_laws(make) == {"gradients"}


@pytest.mark.parametrize(("make", "order"), [(FirstIsWrong, "first"), (SecondIsWrong, "second")], ids=["1", "2"])
def test_order_of_the_derivative_is_told(make, order):
    with pytest.raises(AssertionError, match=f"derivatives by x, weight, {order}"):
        check_gradients(make)
