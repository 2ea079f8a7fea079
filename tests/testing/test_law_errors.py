import math

import pytest
import torch
from torch_geometric.nn import aggr as pyg
from torch_geometric.utils import scatter

from graphlab.testing import LawErrors, law_errors


class Average(pyg.Aggregation):
    """Folds `(a + b) / 2` over a tree: commutative, not associative, and all is known of it."""

    closed = True

    def __init__(self, tree: str = "carry") -> None:
        super().__init__()
        self.tree = tree

    def forward(self, x, index=None, ptr=None, dim_size=None, dim=-2):
        out = x.new_zeros(dim_size, x.size(-1))
        for group in index.unique().tolist():
            out[group] = self.fold(x[index == group])
        return out

    def fold(self, x):
        if x.size(0) == 1:
            return x[0]
        count = x.size(0)
        half = 1 << (count - 1).bit_length() - 1 if self.tree == "carry" else -(-count // 2)
        return (self.fold(x[:half]) + self.fold(x[half:])) / 2


class First(pyg.Aggregation):
    """The first element of the only group."""

    def forward(self, x, index=None, ptr=None, dim_size=None, dim=-2):
        return x[:1]


class WithCombine(First):
    def combine(self, a, b):
        return a - b

    def triples(self, x, index):
        return x[:1], x[1:2], x[2:3]


class WithLift(First):
    def lift(self, x):
        return x.square()

    def combine(self, a, b):
        return a - b


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(60, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", [pyg.SumAggregation, pyg.MaxAggregation, pyg.MinAggregation])
def test_monoids_have_none(make, x):
    errors = law_errors(make(), x, torch.arange(60) % 7)
    assert errors.associativity <= 1e-14
    assert errors.permutation <= 1e-14
    assert math.isnan(errors.tree_shape)


def test_associativity_of_the_mean_is_what_it_is_by_hand(x):
    # ((a+b)/2 + c)/2 - (a + (b+c)/2)/2 = (c - a)/4, against (a + b + 2c)/4.
    x = torch.tensor([[1.0], [1.0], [5.0]])
    pairs = {(1.0, 1.0): 0 / 8, (1.0, 5.0): 4 / 12, (5.0, 1.0): 4 / 8}
    possible = [pairs[1.0, 1.0], pairs[1.0, 5.0], pairs[5.0, 1.0]]
    for seed in range(5):
        error = law_errors(pyg.MeanAggregation(), x, num_samples=1, seed=seed).associativity
        assert min(abs(error - value) for value in possible) < 1e-6


def test_triples_come_from_one_group(x):
    # Equal elements within a group: every triple is (a, a, a), for which the mean is associative.
    index = torch.arange(60) % 10
    equal = x[:10][index]
    assert law_errors(pyg.MeanAggregation(), equal, index).associativity <= 1e-15
    assert law_errors(pyg.MeanAggregation(), x, index).associativity > 0.1


def test_own_combine_and_triples_are_used():
    x = torch.tensor([[9.0], [2.0], [3.0], [0.0]])
    # (9 - 2) - 3 = 4 against 9 - (2 - 3) = 10.
    assert law_errors(WithCombine(), x).associativity == pytest.approx(6 / 4)


def test_elements_are_lifted_before_they_are_combined():
    # All are 4 when lifted: (4 - 4) - 4 = -4 against 4 - (4 - 4) = 4.
    x = torch.tensor([[2.0], [-2.0], [2.0]])
    assert law_errors(WithLift(), x).associativity == pytest.approx(2.0)


def test_permutation_by_hand():
    x = torch.tensor([[3.0, 4.0], [3.0, 5.0]])
    # A sample either keeps the two elements in order (0) or swaps them (1 against 5, or 34 ** .5).
    error = law_errors(First(), x, num_samples=8).permutation
    swapped = round(error * 8 / 0.2)
    assert error == pytest.approx(swapped * 0.2 / 8)
    assert 0 < swapped < 8


def test_groups_of_one_are_not_counted(x):
    # Not all orders are drawn, so the two means agree only about.
    index = torch.cat([torch.zeros(13, dtype=torch.long), torch.arange(1, 48)])
    alone = law_errors(Average(), x[:13], num_samples=100).permutation
    assert law_errors(Average(), x, index, num_samples=100).permutation == pytest.approx(alone, rel=0.2)
    assert alone > 0.1


def test_tree_shape_by_hand():
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])
    # carry: ((1.5 + 3.5)/2 + 5)/2 = 3.75; halving: (((1+2)/2 + 3)/2 + 4.5)/2 = 3.375.
    aggr = Average()
    assert law_errors(aggr, x).tree_shape == pytest.approx(0.375 / 3.75)
    assert aggr.tree == "carry"
    assert law_errors(Average(), x[:4]).tree_shape == 0


def test_index_may_be_unsorted_and_have_gaps(x):
    # PyG's LSTM takes sorted index only, and depends on the order within a group, which is kept.
    torch.manual_seed(0)
    aggr = pyg.LSTMAggregation(4, 4).double()
    index = torch.arange(60) // 6
    expected = law_errors(aggr, x, index)
    assert expected.permutation > 0.01
    by_place = torch.arange(60).view(10, 6).t().flatten()  # first elements of all groups, then second ones, ...
    assert law_errors(aggr, x[by_place], index[by_place]) == expected
    assert law_errors(aggr, x, 3 * index + 5) == expected


@pytest.mark.parametrize(
    ("make", "measured"),
    [(lambda: pyg.LCMAggregation(64, 64, project=False), 0.077), (lambda: pyg.GRUAggregation(64, 64), 1.23)],
    ids=["binary-gru", "gru"],
)
def test_untrained_aggregators_have_the_measured_permutation_error(make, measured):
    # Groups of 32; one initialisation differs from another by a third or so.
    errors = []
    for seed in range(4):
        torch.manual_seed(seed)
        errors.append(law_errors(make(), torch.randn(320, 64), torch.arange(320) // 32).permutation)
    assert measured / 1.6 < sum(errors) / 4 < measured * 1.6


def test_mode_is_restored(x):
    aggr = pyg.MultiAggregation(["sum", "mean"])
    aggr.aggrs[0].eval()
    law_errors(aggr, x)
    assert aggr.training
    assert [a.training for a in aggr.aggrs] == [False, True]


@pytest.mark.parametrize(
    "aggr",
    [
        pyg.LCMAggregation(4, 4),
        pyg.GRUAggregation(4, 4),
        pyg.SoftmaxAggregation(learn=True),
        pyg.MultiAggregation(["sum", "mean"]),
    ],
    ids=lambda aggr: type(aggr).__name__,
)
def test_what_has_no_meaning_is_nan(aggr, x):
    errors = law_errors(aggr, x.float())
    assert math.isnan(errors.associativity)
    assert math.isnan(errors.tree_shape)
    assert math.isfinite(errors.permutation)


def test_nothing_to_measure():
    assert str(law_errors(pyg.LCMAggregation(4, 4), torch.empty(0, 4))) == (
        "associativity n/a, permutation n/a, tree shape n/a"
    )
    lonely = law_errors(pyg.SumAggregation(), torch.randn(3, 4), torch.arange(3))
    assert math.isnan(lonely.permutation)
    assert math.isnan(lonely.associativity)


def test_told_in_words():
    told = str(LawErrors(associativity=0.0763, permutation=1e-7, tree_shape=math.nan))
    assert told == "associativity 7.63e-02, permutation 1.00e-07, tree shape n/a"


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"x": torch.randn(2, 3, 4)}, r"'x' got shape \[2, 3, 4\], expected a matrix"),
        ({"index": torch.zeros(5)}, r"'index' got shape \[5\], expected \[60\]"),
        ({"num_samples": 0}, "'num_samples' got 0, expected at least 1"),
    ],
    ids=["x", "index", "num_samples"],
)
def test_bad_input(kwargs, message, x):
    with pytest.raises(ValueError, match=message):
        law_errors(pyg.SumAggregation(), **({"x": x} | kwargs))


def test_without_parameters_aggregates_are_elements_again():
    class Twice(pyg.Aggregation):
        def forward(self, x, index=None, ptr=None, dim_size=None, dim=-2):
            return 2 * scatter(x, index, 0, dim_size)

    # 4a + 4b + 2c against 2a + 4b + 4c: for a = 0 and b = c = 1 that is 6 against 8.
    x = torch.tensor([[0.0], [1.0], [1.0]])
    possible = {2 / 6, 0.0, 2 / 8}
    error = law_errors(Twice(), x, num_samples=1).associativity
    assert min(abs(error - value) for value in possible) < 1e-6
    Twice.closed = False
    assert math.isnan(law_errors(Twice(), x).associativity)
