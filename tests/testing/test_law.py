import pytest
import torch

from graphlab.testing.law import Law, headline, relative_error

LAW = Law("gravity", "Apple()")


def test_relative_error_is_the_worst_row():
    expected = torch.tensor([[3.0, 4.0], [0.0, 5.0]])
    actual = expected + torch.tensor([[0.0, 0.0], [0.05, 0.0]])
    assert relative_error(actual, expected) == pytest.approx(0.05 / 5)


def test_relative_error_has_no_unit():
    expected, actual = torch.randn(2, 7, 3, dtype=torch.float64)
    once = relative_error(actual, expected)
    assert relative_error(1e-9 * actual, 1e-9 * expected) == pytest.approx(once)


def test_zero_row_is_held_against_the_typical_row():
    expected = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    actual = torch.tensor([[0.1, 0.0], [3.0, 4.0]])
    assert relative_error(actual, expected) == pytest.approx(0.1 / (25 / 2) ** 0.5)


def test_all_zero_expectation_forgives_nothing():
    zero = torch.zeros(2, 3)
    assert relative_error(zero, zero) == 0
    assert relative_error(zero + 1e-30, zero) == torch.inf


def test_nan_is_an_error_and_equal_infinities_are_none():
    one = torch.ones(1, 2)
    assert relative_error(one * torch.nan, one) == torch.inf
    assert relative_error(one * torch.nan, one * torch.nan) == torch.inf
    assert relative_error(one * torch.inf, one) == torch.inf
    assert relative_error(one * -torch.inf, one * torch.inf) == torch.inf
    assert relative_error(one * -torch.inf, one * -torch.inf) == 0


def test_empty_and_scalar():
    assert relative_error(torch.empty(0, 3), torch.empty(0, 3)) == 0
    assert relative_error(torch.tensor(1.5), torch.tensor(1.0)) == 0.5


def test_shape_is_told():
    with pytest.raises(AssertionError, match=r"a result of shape \[2\]\. Expected: shape \[2, 1\]"):
        LAW.close("two", torch.ones(2), torch.ones(2, 1), bound=1.0)


def test_raised_error_is_the_cause():
    with pytest.raises(AssertionError, match=r"Input: a tree\. Saw: it raised KeyError") as caught:
        LAW.run("a tree", lambda: {}["apple"])
    assert isinstance(caught.value.__cause__, KeyError)


def test_headline_is_one_line():
    assert headline(ValueError("\nfirst\nsecond")) == "ValueError: first"
    assert headline(ValueError()) == "ValueError: "
