import pytest
import torch
from torch_geometric.nn import aggr as pyg
from torch_geometric.utils import scatter

from graphlab.testing import check_edge_permutation

from .specimens import Healthy, broken_laws


class KnowsItsNumber(Healthy):
    """The third group is treated differently from the first."""

    def fold(self, x, index, dim_size):
        number = torch.arange(dim_size, dtype=x.dtype).unsqueeze(-1)
        return super().fold(x, index, dim_size) * (1 + 1e-3 * number)


class FirstElementCountsMore(Healthy):
    """Depends on the order within a group, and on nothing else."""

    def fold(self, x, index, dim_size):
        order = index.argsort(stable=True)
        group = index[order]
        first = torch.ones_like(group, dtype=x.dtype)
        first[1:] = (group[1:] != group[:-1]).to(x.dtype)
        weight = torch.empty_like(first).scatter(0, order, 1 + 1e-3 * first)
        return scatter(self.lift(x) * weight.unsqueeze(-1), index, -2, dim_size)


class NeighbourInTheList(Healthy):
    """Looks at the next element of the list, of whichever group it is."""

    def fold(self, x, index, dim_size):
        lifted = self.lift(x)
        same = (index == index.roll(-1)).to(x.dtype).unsqueeze(-1)
        return scatter(lifted * (1 + 1e-3 * same), index, -2, dim_size)


def test_only_group_permutation_is_broken():
    assert broken_laws(KnowsItsNumber, permutation_bound=1e-12) == {"group_permutation"}


def test_only_edge_permutation_is_broken():
    assert broken_laws(FirstElementCountsMore, permutation_bound=1e-12) == {"edge_permutation"}


def test_order_within_a_group_may_matter():
    assert broken_laws(FirstElementCountsMore) == set()


def test_mixing_groups_may_not_matter():
    with pytest.raises(AssertionError, match="elements of different groups mixed"):
        check_edge_permutation(NeighbourInTheList)


def test_stated_bound_decides():
    check_edge_permutation(FirstElementCountsMore, permutation_bound=1e-2)
    with pytest.raises(AssertionError, match=r"permuted within their groups.*bound 1e-05"):
        check_edge_permutation(FirstElementCountsMore, permutation_bound=1e-5)


def test_aggregator_that_wants_sorted_index_breaks_it():
    with pytest.raises(AssertionError, match="'index' tensor is not sorted"):
        check_edge_permutation(lambda: pyg.LSTMAggregation(8, 8))
