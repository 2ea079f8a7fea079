import pytest
import torch

from .twins import AGGREGATORS, CHANNELS, NODES, compare, edges, mlp, rows, twins


@pytest.mark.parametrize("aggr", [*AGGREGATORS, "add"])
def test_aggregations(aggr):
    compare(lambda package: package.GINConv(mlp(), aggr=aggr), rows(), edges())


@pytest.mark.parametrize("train_eps", [False, True])
def test_eps(train_eps):
    compare(lambda package: package.GINConv(mlp(), eps=0.3, train_eps=train_eps), rows(), edges())
    _, ours = twins(lambda package: package.GINConv(mlp(), eps=0.3, train_eps=train_eps))
    assert isinstance(ours.eps, torch.nn.Parameter) == train_eps


def test_other_aggregation_is_left_to_pyg():
    compare(lambda package: package.GINConv(mlp(), aggr="mul"), rows(), edges(), fused=False)


def test_any_callable_goes_for_a_network():
    compare(lambda package: package.GINConv(torch.nn.Identity()), (rows(), rows(7, CHANNELS, seed=3)), edges(NODES, 7))
