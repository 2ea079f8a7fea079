from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.train.evaluation.expressivity.separation import (
    count_separated,
    count_unseparated_among_all,
    relative_difference,
)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([4.0, 0.0], [4.0, 1.0], 0.25),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 0.0], [0.0, -3.0], 1.0),
        ([1.0], [-1.0], 2.0),
    ],
)
def test_differences_are_relative_to_the_larger_vector(first: list, second: list, expected: float) -> None:
    assert relative_difference(torch.tensor([first]), torch.tensor([second])).tolist() == [expected]
    assert relative_difference(1e9 * torch.tensor([second]), 1e9 * torch.tensor([first])).tolist() == [expected]


@given(
    st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=25),
    st.sampled_from([0.0, 1e-12, 0.4, 1.0, 3.0]),
    st.sampled_from([0.0, 1e-13]),
)
def test_sorting_counts_what_comparing_all_counts(rows: list, tolerance: float, noise: float) -> None:
    vectors = torch.tensor(rows, dtype=torch.float64)
    vectors = vectors + noise * torch.arange(len(rows)).view(-1, 1) * vectors
    pairs = torch.tensor([*combinations(range(len(rows)), 2)], dtype=torch.long).view(-1, 2).t()
    separated = count_separated(vectors[pairs[0]], vectors[pairs[1]], tolerance)
    assert count_unseparated_among_all(vectors, tolerance) == pairs.size(1) - separated


def test_all_equal_and_none() -> None:
    assert count_unseparated_among_all(torch.ones(50, 2), 1e-12) == 1225
    assert count_unseparated_among_all(torch.zeros(50, 2), 1e-12) == 1225
    assert count_unseparated_among_all(torch.ones(0, 2), 1e-12) == 0


def test_many_distinct_vectors_take_no_square() -> None:
    vectors = torch.randn(20_000, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    twice = torch.cat([vectors, vectors * (1 + 1e-14)])
    assert count_unseparated_among_all(twice, 1e-12) == 20_000
