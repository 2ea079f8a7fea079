import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.train.evaluation.expressivity.t_squared import t_squared


def by_hand(first: Any, second: Any) -> float:
    apart = first - second
    mean, count = apart.sum(0) / len(apart), len(apart)
    covariance = sum(np.outer(d - mean, d - mean) for d in apart) / (count - 1)
    return float(mean @ np.linalg.solve(covariance, mean))


@given(st.integers(0, 2**16), st.integers(1, 16), st.floats(0, 5))
def test_it_is_the_formula(seed: int, channels: int, shift: float) -> None:
    first, second = np.random.default_rng(seed).normal(size=(2, 32, channels))
    found = t_squared(torch.from_numpy(first + shift), torch.from_numpy(second))
    assert found == pytest.approx(by_hand(first + shift, second), rel=1e-8)


@given(st.integers(0, 2**16))
def test_linear_maps_change_nothing(seed: int) -> None:
    first, second, one = torch.randn(3, 32, 16, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    linear = one[:16] + 8 * torch.eye(16)
    assert t_squared(first @ linear, second @ linear) == pytest.approx(t_squared(first, second), rel=1e-7)


def test_equal_vectors_are_not_told_apart() -> None:
    same = torch.randn(32, 16)
    assert t_squared(same, same) == t_squared(torch.zeros(32, 16), torch.zeros(32, 16)) == 0


def test_a_channel_that_does_not_vary_adds_nothing() -> None:
    first, second = torch.randn(2, 32, 3, dtype=torch.float64)
    still = torch.full((32, 1), 2.0, dtype=torch.float64)
    padded = t_squared(torch.cat([first, still], 1), torch.cat([second, still], 1))
    assert padded == pytest.approx(t_squared(first, second), rel=1e-8)


def test_a_difference_without_variance_is_certain_unless_it_is_rounding() -> None:
    ones = torch.ones(32, 4)
    assert t_squared(ones, 2 * ones) == math.inf
    assert t_squared(ones, ones + torch.finfo(torch.float32).eps) < 1
