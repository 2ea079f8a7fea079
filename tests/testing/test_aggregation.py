import pytest
import torch
from torch_geometric.nn import aggr as pyg

from graphlab.testing import AGGREGATION_LAWS, check_aggregation

from .specimens import Healthy, broken_laws

PADDED = {
    "lcm": lambda: pyg.LCMAggregation(8, 8),
    "gru": lambda: pyg.GRUAggregation(8, 8),
    "lstm": lambda: pyg.LSTMAggregation(8, 8),
}
# What PyG's scatter says to a bad index is torch's message, which names no argument.
PYG_EXCLUDES = frozenset({"errors"})


def test_healthy_aggregator_passes_every_law():
    check_aggregation(Healthy, permutation_bound=1e-12)


def test_other_number_of_output_channels_passes():
    check_aggregation(lambda: Healthy(6, 3), 6, permutation_bound=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        pyg.SumAggregation,
        pyg.MeanAggregation,
        pyg.MaxAggregation,
        lambda: pyg.SoftmaxAggregation(learn=True),
    ],
    ids=["sum", "mean", "max", "softmax"],
)
def test_pyg_reductions_pass(make):
    check_aggregation(make, permutation_bound=1e-12, exclude=PYG_EXCLUDES)
    assert broken_laws(make) == PYG_EXCLUDES


@pytest.mark.parametrize("make", PADDED.values(), ids=PADDED)
def test_pyg_padded_aggregators_break_the_laws(make):
    assert broken_laws(make) == {
        "batch_independence",
        "edge_permutation",
        "empty_groups",
        "index_forms",
        "batched",
        "compile",
        "errors",
    }


def test_every_name_can_be_excluded():
    assert broken_laws(PADDED["gru"], exclude=set(AGGREGATION_LAWS)) == set()


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'exclude' got \['speed'\].*batch_independence"):
        check_aggregation(Healthy, exclude={"speed"})


def test_all_broken_laws_are_told_at_once():
    laws = set(AGGREGATION_LAWS) - {"errors", "index_forms"}
    message = (
        r"2 of 2 laws are broken:\n- MulAggregation\(\) breaks the law 'index_forms'.*"
        r"\n- MulAggregation\(\) breaks the law 'errors'"
    )
    with pytest.raises(AssertionError, match=message):
        check_aggregation(pyg.MulAggregation, exclude=laws)


def test_global_random_state_is_left_alone():
    state = torch.get_rng_state()
    check_aggregation(Healthy)
    assert torch.equal(torch.get_rng_state(), state)


def test_seed_decides_parameters_and_inputs():
    seen = []

    class Spy(Healthy):
        def fold(self, x, index, dim_size):
            seen.append((self.weight.sum().item(), x.sum().item()))
            return super().fold(x, index, dim_size)

    runs = []
    for seed in (0, 0, 1):
        check_aggregation(Spy, exclude=set(AGGREGATION_LAWS) - {"group_permutation"}, seed=seed)
        runs.append(seen.copy())
        seen.clear()
    one, again, other = runs
    assert one == again
    assert all(a != b for (a, _), (b, _) in zip(one, other, strict=True))
    assert one[1][1] != other[1][1]  # the first call is of ones, to build lazy parameters
