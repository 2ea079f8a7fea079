"""Negative examples: who is drawn how often, and never from the future."""

import pytest
import torch
from scipy.stats import chisquare

from graphlab.loader.negatives import NegativePool


def drawn(pool: NegativePool, count: int = 20_000, **options) -> torch.Tensor:
    return pool.draw(key=3, relation=1, count=count, **options)


def test_nodes_are_equally_likely():
    counts = torch.bincount(drawn(NegativePool(10)), minlength=10)
    assert chisquare(counts.numpy()).pvalue > 1e-3


def test_weights_are_proportions():
    weight = torch.tensor([1.0, 0.0, 3.0, 4.0, 0.0])
    counts = torch.bincount(drawn(NegativePool(5, weight)), minlength=5)
    assert counts[1] == counts[4] == 0
    used = weight > 0
    expected = weight[used] / weight.sum() * counts.sum()
    assert chisquare(counts[used].numpy(), expected.numpy(), sum_check=False).pvalue > 1e-3


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 3.0, 4.0])], ids=["equal", "weighted"])
def test_those_of_the_past_are_drawn_in_proportion(weight):
    time = torch.tensor([5, 1, 9, 1])
    until = torch.full((20_000,), 5)
    counts = torch.bincount(drawn(NegativePool(4, weight, time), until=until), minlength=4)
    assert counts[2] == 0
    past = torch.tensor([0, 1, 3])
    share = torch.ones(3) if weight is None else weight[past]
    expected = share / share.sum() * 20_000
    assert chisquare(counts[past].numpy(), expected.numpy(), sum_check=False).pvalue > 1e-3


def test_each_has_its_own_time():
    time = torch.arange(100)
    until = torch.randint(100, (500,), generator=torch.Generator().manual_seed(0))
    assert (time[drawn(NegativePool(100, time=time), 500, until=until)] <= until).all()


def test_where_none_is_old_enough_it_is_the_oldest():
    pool = NegativePool(3, time=torch.tensor([7, 5, 6]))
    assert drawn(pool, 4, until=torch.full((4,), 2)).tolist() == [1] * 4


def test_a_draw_depends_on_its_place_alone():
    pool = NegativePool(1000)
    assert torch.equal(drawn(pool, 50), drawn(pool, 200)[:50])
    assert not torch.equal(pool.draw(3, 1, 50), pool.draw(3, 2, 50))
    assert not torch.equal(pool.draw(3, 1, 50), pool.draw(4, 1, 50))


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (torch.ones(3), "weigh each of 4 nodes, got shape"),
        (torch.tensor([1.0, -1.0, 0.0, 0.0]), "none negative"),
        (torch.tensor([1.0, float("nan"), 0.0, 0.0]), "finite"),
        (torch.zeros(4), "one positive"),
    ],
)
def test_bad_weights_are_refused(weight, said):
    with pytest.raises(ValueError, match=f"neg_sampling.*{said}"):
        NegativePool(4, weight)


def test_no_nodes_are_refused():
    with pytest.raises(ValueError, match="neg_sampling"):
        drawn(NegativePool(0), 1)
    assert drawn(NegativePool(0), 0).tolist() == []
