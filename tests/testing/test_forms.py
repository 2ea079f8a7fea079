import pytest
import torch
from torch_geometric.nn import aggr as pyg

from graphlab.testing import check_batched, check_index_forms

from .specimens import Healthy, broken_laws


class WithoutPtr(Healthy):
    def groups(self, x, index, ptr, dim_size):
        groups = super().groups(x, index, ptr, dim_size)
        if index is None:
            raise NotImplementedError("no ptr")
        return groups


class PtrOffByOne(Healthy):
    """Silently wrong where only ptr is given: the last group loses an element to the one before."""

    def groups(self, x, index, ptr, dim_size):
        groups = super().groups(x, index, ptr, dim_size)
        if index is None and ptr.numel() > 2:
            groups[ptr[-2]] = ptr.numel() - 3
        return groups


class MatricesOnly(Healthy):
    def validate(self, x, dim):
        super().validate(x, dim)
        if x.dim() != 2:
            raise ValueError("two-dimensional inputs only")


class WrongForLeadingAxes(Healthy):
    """Takes the first of a batch for all."""

    def lift(self, x):
        return super().lift(x[:1].expand_as(x) if x.dim() > 2 else x)


class SilentTranspose(Healthy):
    """Takes the last axis for the channels although it is told that it holds the elements."""

    def forward(self, x, index=None, ptr=None, dim_size=None, dim=-2):
        if dim == -1 and x.size(-2) == self.in_channels:
            x, dim = x.t() + 1e-3, -2
        return super().forward(x, index, ptr, dim_size, dim)


@pytest.mark.parametrize("make", [WithoutPtr, PtrOffByOne])
def test_only_index_forms_is_broken(make):
    assert broken_laws(make) == {"index_forms"}


@pytest.mark.parametrize("make", [MatricesOnly, WrongForLeadingAxes, SilentTranspose])
def test_only_batched_is_broken(make):
    assert broken_laws(make) == {"batched"}


def test_unsorted_index_is_asked():
    class Sorted(Healthy):
        def fold(self, x, index, dim_size):
            self.assert_sorted_index(index)
            return super().fold(x, index, dim_size)

    with pytest.raises(AssertionError, match="given by unsorted index"):
        check_index_forms(Sorted)


def test_transposed_input_is_tried():
    # An aggregator that treats channels alike can take (F, E) with dim=-1; it must then be right.
    seen = []

    class Spy(pyg.SumAggregation):
        def forward(self, x, index=None, ptr=None, dim_size=None, dim=-2):
            seen.append((tuple(x.shape), dim))
            return super().forward(x, index, ptr, dim_size, dim)

    check_batched(Spy, 5, bound={torch.float64: 1e-12})
    assert ((5, 11), -1) in seen
