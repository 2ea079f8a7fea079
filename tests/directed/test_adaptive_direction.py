import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.transforms import Compose, NormalizeFeatures
from torch_geometric.utils import is_undirected

from graphlab.directed import AdaptiveDirection, amud
from tests.directed.test_amud import one_way


def noise(data: Data) -> Data:
    """The same graph with directions at random."""
    flipped = torch.arange(data.num_edges) % 2 == 0
    data.edge_index[:, flipped] = data.edge_index[:, flipped].flip(0)
    data.train_mask = torch.arange(data.num_nodes) < 30
    return data


def test_directions_that_help_are_kept():
    data = one_way()
    made = AdaptiveDirection()(data)
    assert made.direction == "directed" and made.edge_index.equal(data.edge_index)


@pytest.mark.parametrize("undecided", ["directed", "undirected"])
def test_what_is_undecided_becomes_what_was_asked_for(undecided):
    data = noise(one_way())
    made = AdaptiveDirection(undecided=undecided)(data)
    assert made.direction == amud(data).verdict == "undecided"
    assert is_undirected(made.edge_index) == (undecided == "undirected")
    assert not is_undirected(data.edge_index) and "direction" not in data


def test_directions_that_are_node_numbers_are_always_dropped():
    data = one_way()
    data.edge_index = data.edge_index.sort(0).values
    made = AdaptiveDirection(undecided="directed")(data)
    assert made.direction == "undecided" and is_undirected(made.edge_index)


@pytest.mark.parametrize("undecided", ["directed", "undirected"])
def test_too_few_labels_leave_genuine_directions_to_the_choice(undecided):
    data = noise(one_way())
    data.train_mask = torch.zeros(400, dtype=torch.bool)
    data.train_mask[[int((data.y == k).nonzero()[0]) for k in (0, 1)]] = True
    made = AdaptiveDirection(undecided=undecided)(data)
    assert made.direction == "undecided" and is_undirected(made.edge_index) == (undecided == "undirected")


def test_weights_and_attributes_stay_with_their_edges():
    data = Data(edge_index=torch.tensor([[0, 1, 1], [1, 0, 2]]), y=torch.tensor([0, 1, 1]), num_nodes=3)
    data.train_mask = torch.ones(3, dtype=torch.bool)
    data.edge_weight, data.edge_attr = torch.tensor([1.0, 3.0, 5.0]), torch.tensor([[1.0], [3.0], [5.0]])
    made = AdaptiveDirection(undecided="undirected")(data)
    assert made.edge_index.tolist() == [[0, 1, 1, 2], [1, 0, 2, 1]]
    assert made.edge_weight.tolist() == [2, 2, 5, 5] and made.edge_attr.flatten().tolist() == [2, 2, 5, 5]


def test_it_stands_in_a_chain_and_says_what_it_is():
    data = one_way()
    data.x = torch.rand(400, 2)
    assert Compose([NormalizeFeatures(), AdaptiveDirection(split=1)])(data).direction == "directed"
    assert repr(AdaptiveDirection(split=1)) == "AdaptiveDirection(split=1, undecided='directed')"


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="'undecided' must be 'directed' or 'undirected', got 'both'"):
        AdaptiveDirection(undecided="both")
    with pytest.raises(ValueError, match="put this transform before ToSparseTensor"):
        AdaptiveDirection()(HeteroData())
