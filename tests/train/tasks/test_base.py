import pytest
import torch

from graphlab.train.tasks.base import NonFiniteError, finite, shuffled, some_of


def test_some_of_spreads_evenly_and_keeps_the_limit():
    for count in (1, 9, 10, 11, 95, 100):
        rows = some_of(torch.arange(count), 10)
        assert len(rows) <= 10
        assert len(rows) == min(count, 10) or count > 10
        assert rows[-1] >= count * 0.8 - 1


def test_shuffled_is_a_permutation_drawn_from_the_generator():
    draws = [shuffled(torch.arange(50), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(draws[2].sort().values, torch.arange(50))


def test_finite_lets_through_only_finite_outputs():
    assert finite(torch.ones(2)).sum() == 2
    for bad in (float("inf"), float("nan")):
        with pytest.raises(NonFiniteError):
            finite(torch.tensor([1.0, bad]))
