import pytest
import torch

from graphlab.subgraph.check_inside import check_inside

BATCH = torch.tensor([0, 0, 1])


def test_pairs_of_one_graph_pass():
    check_inside("edge_index", torch.tensor([0, 1, 2]), torch.tensor([1, 1, 2]), BATCH)
    check_inside("edge_index", BATCH[:0], BATCH[:0], BATCH)


def test_the_first_pair_of_two_graphs_is_named():
    message = "'pairs' must lie within graphs, but leads from node 1 of graph 0 to node 2 of graph 1; check 'batch'"
    with pytest.raises(ValueError, match=message):
        check_inside("pairs", torch.tensor([0, 1, 0]), torch.tensor([1, 2, 2]), BATCH)
