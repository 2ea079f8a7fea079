import pytest
import torch
from torch_geometric.nn import aggr as pyg
from torch_geometric.utils import scatter

from graphlab.testing import check_batch_independence, check_empty_groups

from .specimens import Healthy, broken_laws


class SeesLargestGroup(Healthy):
    """As a padded aggregator does: the largest group changes the results of the others."""

    def fold(self, x, index, dim_size):
        count = scatter(torch.ones_like(index), index, dim_size=dim_size)
        largest = torch.cat([count, count.new_zeros(1)]).max()
        return super().fold(x, index, dim_size) * (1 + largest * 1e-3)


class LeaksIntoNext(Healthy):
    """Differences of one running sum: rounding of earlier groups stays in later ones."""

    def lift(self, x):
        return x @ self.weight

    def fold(self, x, index, dim_size):
        order = index.argsort(stable=True)
        lifted = self.lift(x).index_select(-2, order)
        total = torch.nn.functional.pad(lifted.cumsum(-2), (0, 0, 1, 0))
        ends = scatter(torch.ones_like(index), index, dim_size=dim_size).cumsum(0)
        ptr = torch.nn.functional.pad(ends, (1, 0))
        return total.index_select(-2, ptr).diff(dim=-2)


class EmptyIsNumberOfElements(Healthy):
    def fold(self, x, index, dim_size):
        count = scatter(torch.ones_like(index), index, dim_size=dim_size)
        empty = (count == 0).to(x.dtype).unsqueeze(-1)
        return super().fold(x, index, dim_size) + empty * 1e-3 * x.size(-2)


class NoElementsCrash(Healthy):
    def fold(self, x, index, dim_size):
        return super().fold(x, index, dim_size) + 0 * x.abs().amax(-2, keepdim=True).sum()


@pytest.mark.parametrize("make", [SeesLargestGroup, LeaksIntoNext])
def test_only_batch_independence_is_broken(make):
    assert broken_laws(make, permutation_bound=1e-11) == {"batch_independence"}


@pytest.mark.parametrize("make", [EmptyIsNumberOfElements, NoElementsCrash])
def test_only_empty_groups_is_broken(make):
    assert broken_laws(make) == {"empty_groups"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: pyg.LCMAggregation(8, 8),
        lambda: pyg.GRUAggregation(8, 8),
        lambda: pyg.LSTMAggregation(8, 8),
    ],
    ids=["lcm", "gru", "lstm"],
)
def test_padding_changes_the_whole_result(make):
    # Padding to the largest group is no rounding: the relative change is of the order of one.
    check_batch_independence(make, bound={torch.float64: 4.0})
    with pytest.raises(AssertionError, match=r"error [\d.e-]+.*error <= bound 0\.3"):
        check_batch_independence(make, bound={torch.float64: 0.3})


def test_message_names_law_input_seed_error_and_bound():
    message = (
        r"SeesLargestGroup\(\) breaks the law 'batch_independence'\. Input: x \[523, 8\] "
        r"torch\.float64, group sizes \(3, 1, 5, 2, 8, 500, 4\), seed 7; only the first 1 groups "
        r"of it\. Saw: error 0\.\d+\. Expected: error <= bound 1e-12\."
    )
    with pytest.raises(AssertionError, match=message):
        check_batch_independence(SeesLargestGroup, seed=7)


@pytest.mark.parametrize("make", [pyg.MaxAggregation, pyg.SumAggregation])
def test_identity_of_pyg_reductions(make):
    check_empty_groups(make, 3)
