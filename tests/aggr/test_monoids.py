"""The exactly associative aggregators."""

import pytest
import torch
from hypothesis import given, settings
from torch_geometric.nn import SAGEConv

from graphlab.aggr import GenAggAggregation, ProductMonoidAggregation, QuasiArithmeticAggregation, penalty
from graphlab.testing import check_aggregation, check_layer, law_errors
from tests.ops.ragged import counts, elements, group_of, largest, seeds

D = 6
CLASSES = [QuasiArithmeticAggregation, GenAggAggregation, ProductMonoidAggregation]
classes = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def shaken(cls, **options):
    """An aggregator with all parameters drawn, also those that start at zero."""
    torch.manual_seed(0)
    aggr = cls(D, **options).double()
    for parameter in aggr.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return aggr


@classes
def test_laws(cls):
    check_aggregation(lambda: cls(8), permutation_bound=1e-11)


@classes
def test_a_layer_built_on_it_obeys_the_laws(cls):
    check_layer(lambda: SAGEConv(8, 8, aggr=cls(8)), 8)


@given(sizes=counts, seed=seeds)
@settings(max_examples=30)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_order_does_not_matter(cls, sizes, seed):
    aggr, x, index = shaken(cls), elements(sizes, D, seed), group_of(sizes)
    order = torch.randperm(index.numel())
    one, two = aggr(x, index, dim_size=len(sizes)), aggr(x[order], index[order], dim_size=len(sizes))
    assert largest(one - two) <= 1e-10 * max(1.0, largest(one))


def test_quasi_arithmetic_is_a_commutative_group():
    aggr = shaken(QuasiArithmeticAggregation)
    a, b, c = torch.randn(3, 40, D, dtype=torch.float64)
    assert largest(aggr.combine(a, b) - aggr.combine(b, a)) <= 1e-12
    assert largest(aggr.combine(aggr.combine(a, b), c) - aggr.combine(a, aggr.combine(b, c))) <= 1e-11
    identity = aggr(a[:0], torch.empty(0, dtype=torch.long), dim_size=40)
    assert largest(aggr.combine(a, identity) - a) <= 1e-12
    assert largest(identity) > 1e-3, "the weights of this test make zero the identity"


def test_quasi_arithmetic_of_one_element_is_the_element():
    aggr, x = shaken(QuasiArithmeticAggregation), elements([1] * 9, D, 0)
    assert largest(aggr(x, torch.arange(9)) - x) <= 1e-12


def test_without_couplings_it_is_a_sum_and_the_largest_in_magnitude():
    aggr = QuasiArithmeticAggregation(2).double()
    for parameter in aggr.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.tensor([[1.0, 300.0], [2.0, -100.0]], dtype=torch.float64)
    assert aggr(x)[0].tolist() == pytest.approx([3.0, 300.0])


def test_gen_agg_starts_as_a_mean_and_its_exponent_makes_it_a_sum():
    aggr = GenAggAggregation(D).double()
    sizes = [3, 1, 5]
    x, index = elements(sizes, D, 0), group_of(sizes)
    mean = torch.stack([part.mean(0) for part in x.split(sizes)])
    assert largest(aggr(x, index) - mean) <= 1e-12
    torch.nn.init.ones_(aggr.alpha)
    assert largest(aggr(x, index) - mean * torch.tensor(sizes).view(-1, 1)) <= 1e-12
    torch.nn.init.ones_(aggr.beta)
    assert largest(aggr(x, index)) <= 1e-12, "deviations from the mean sum to zero"


def test_gen_agg_learns_to_invert_its_function():
    torch.manual_seed(0)
    aggr = GenAggAggregation(D, inverse=1.0)
    for parameter in aggr.forth.parameters():
        torch.nn.init.normal_(parameter)
    x, index = elements([50], D, 0).float(), group_of([50])
    optimizer = torch.optim.Adam(aggr.back.parameters(), lr=0.01)
    before = float(aggr.inverse_loss(x).detach())
    for _ in range(300):
        optimizer.zero_grad()
        aggr(x, index)
        penalty(aggr).backward()
        optimizer.step()
    assert float(aggr.inverse_loss(x).detach()) < 0.05 * before


def second_largest(x, index, n):
    """The 2nd-minimum monoid, as exact weights of the product monoid."""
    aggr = ProductMonoidAggregation(1, 1, k=2, factors=("topk",)).double()
    with torch.no_grad():
        aggr.enter.weight.fill_(-1.0)
        aggr.leave.weight.copy_(torch.tensor([[0.0, -1.0]]))
        for zero in (aggr.enter.bias, aggr.leave.bias):
            zero.zero_()
        return aggr(x, index, dim_size=n)


@given(seed=seeds)
@settings(max_examples=40)
def test_the_product_monoid_holds_the_2nd_minimum_exactly(seed):
    sizes = [2, 3, 16, 200]
    x = (elements(sizes, 1, seed) * 20).round()
    out = second_largest(x, group_of(sizes), 4)
    assert out.view(-1).tolist() == [float(part.sort(0).values[1]) for part in x.split(sizes)]


@pytest.mark.parametrize("factors", [("sum",), ("softmax",), ("topk",), ("sum", "softmax", "topk")], ids=str)
def test_the_state_of_a_union_is_the_merged_state(factors):
    """Associativity where it lives: reducing in two parts and then together loses nothing."""
    aggr = shaken(ProductMonoidAggregation, factors=factors)
    x = elements([9], D, 0)
    states = aggr.lift(x).split(1)
    whole = aggr(x)
    for order in ([0, 1, 2, 3, 4, 5, 6, 7, 8], [4, 8, 0, 2, 7, 1, 3, 6, 5]):
        total = states[order[0]]
        for i in order[1:]:
            total = aggr.combine(total, states[i])
        assert largest(torch.nn.functional.linear(total, aggr.leave.weight, aggr.leave.bias) - whole) <= 1e-12
    a, b, c = aggr.lift(x).split(3)
    assert largest(aggr.combine(aggr.combine(a, b), c) - aggr.combine(a, aggr.combine(b, c))) <= 1e-12


@pytest.mark.parametrize("k", [1, 2, 5])
def test_law_errors_of_the_product_are_those_of_rounding(k):
    aggr = shaken(ProductMonoidAggregation, k=k).float()
    errors = law_errors(aggr, elements([16] * 9, D, 0).float(), group_of([16] * 9))
    assert errors.associativity <= 1e-6 and errors.permutation <= 1e-5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ProductMonoidAggregation(4, k=0), "'k' must be a positive integer, got 0"),
        (lambda: ProductMonoidAggregation(4, factors=("mean",)), "'factors' must be some of 'sum', .* got"),
        (lambda: QuasiArithmeticAggregation(4, 5), "'out_channels' must equal 'in_channels'"),
        (lambda: QuasiArithmeticAggregation(1), "must be at least 2, got 1 and 1"),
        (lambda: QuasiArithmeticAggregation(4, num_layers=0), "'num_layers' must be at least 1, got 0"),
        (lambda: GenAggAggregation(4, 5), "'out_channels' must equal in_channels=4, got 5"),
        (lambda: GenAggAggregation(4, num_features=0), "'num_features' must be at least 1, got 0"),
        (lambda: GenAggAggregation(4, inverse=-1.0), "'inverse' must be a weight >= 0, got -1.0"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@classes
def test_open_sizes_come_from_a_checkpoint(cls):
    aggr, twin = cls(D), cls()
    twin.load_state_dict(aggr.state_dict())
    x, index = elements([3, 2], D, 0).float(), group_of([3, 2])
    assert twin(x, index).equal(aggr(x, index))
