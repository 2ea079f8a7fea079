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


def test_permutation_by_hand():
    x = torch.tensor([[3.0, 4.0], [3.0, 5.0]])
    # A sample either keeps the two elements in order (0) or swaps them (1 against 5, or 34 ** .5).
    error = law_errors(First(), x, num_samples=8).permutation
    swapped = round(error * 8 / 0.2)
    assert error == pytest.approx(swapped * 0.2 / 8)
    assert 0 < swapped < 8


def test_groups_of_one_are_not_counted(x):
    one_group = law_errors(Average(), x[:16])
    index = torch.cat([torch.zeros(16, dtype=torch.long), torch.arange(1, 45)])
    assert law_errors(Average(), x, index).permutation > 0.1
    assert law_errors(Average(), x[:16], index[:16]) == one_group


def test_tree_shape_by_hand():
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])
    # carry: ((1.5 + 3.5)/2 + 5)/2 = 3.75; halving: (((1+2)/2 + 3)/2 + 4.5)/2 = 3.375.
    aggr = Average()
    assert law_errors(aggr, x).tree_shape == pytest.approx(0.375 / 3.75)
    assert aggr.tree == "carry"
    assert law_errors(Average(), x[:4]).tree_shape == 0


def test_index_may_be_unsorted_and_have_gaps(x):
    index = torch.arange(60) // 6
    shuffle = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    inverse = shuffle.argsort()
    sparse = 3 * index + 5
    expected = law_errors(pyg.LSTMAggregation(4, 4).double(), x, index).permutation
    assert expected > 0.01
    for a, b in ((x, sparse), (x[shuffle][inverse], index[shuffle][inverse])):
        torch.manual_seed(0)
        first = law_errors(pyg.MeanAggregation(), a, b)
        assert first == law_errors(pyg.MeanAggregation(), x, index)


def test_untrained_binary_gru_has_the_known_permutation_error():
    # 32 elements, 64 channels: 0.077 on average over initialisations.
    errors = []
    for seed in range(4):
        torch.manual_seed(seed)
        aggr = pyg.LCMAggregation(64, 64, project=False)
        errors.append(law_errors(aggr, torch.randn(320, 64), torch.arange(320) // 32).permutation)
    assert sum(errors) / 4 == pytest.approx(0.077, rel=0.35)


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
    errors = law_errors(aggr, x)
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


def test_scatter_needs_no_closed_attribute(x):
    class Twice(pyg.Aggregation):
        """Parameter-free and far from associative: 2 (a + b)."""

        def forward(self, x, index=None, ptr=None, dim_size=None, dim=-2):
            return 2 * scatter(x, index, 0, dim_size)

    # 4a + 4b + 2c against 2a + 4b + 4c, with a = b = c/2: 14 against 14 + ... by hand below.
    x = torch.tensor([[1.0], [1.0], [1.0]])
    assert law_errors(Twice(), x).associativity == pytest.approx(0.0)
    assert law_errors(Twice(), torch.tensor([[1.0], [1.0], [4.0]])).associativity > 0.1
