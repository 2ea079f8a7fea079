import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.utils import to_undirected

from graphlab.directed import amud, direction_gain, pattern_correlation


def one_way(n: int = 400) -> Data:
    """Undirected, the classes are linked alike; but no edge leads from class 1 to class 0."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(2, (n,), generator=generator)
    pairs = torch.randint(n, (2, 8 * n), generator=generator)
    masks = torch.stack([torch.arange(n) % 2 == 0, torch.ones(n, dtype=torch.bool)], 1)
    edge_index = torch.where(y[pairs[0]] <= y[pairs[1]], pairs, pairs.flip(0))
    return Data(edge_index=edge_index, y=y, train_mask=masks, num_nodes=n)


def test_classes_that_only_directions_tell_are_found():
    report = amud(one_way(), all_labels=True)
    assert report.verdict == "directed" and report.gain and report.gain.mean > 0.5


def test_directions_at_random_are_not_called_directed():
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 3, (600,), generator=generator)
    edge_index = torch.randint(0, 600, (2, 6000), generator=generator)
    edge_index = edge_index[:, (y[edge_index[0]] == y[edge_index[1]]) | (torch.arange(6000) % 4 == 0)]
    report = amud(Data(edge_index=edge_index, y=y, num_nodes=600), all_labels=True)
    assert report.verdict != "directed" and report.gain and report.gain.mean < 0


def test_only_training_labels_of_the_split_are_looked_at():
    data = one_way()
    first, second = (amud(data, split=split) for split in (0, 1))
    assert (first.num_labels, second.num_labels) == (200, 400)
    assert second == amud(data, all_labels=True)
    mask = data.train_mask[:, 0]
    assert first.correlation == pattern_correlation(data.edge_index, data.y, mask)
    assert first.gain == direction_gain(data.edge_index, data.y, mask)
    data.train_mask = mask
    data.y = torch.where(mask, data.y, 0)
    assert amud(data) == first


def test_directions_that_are_node_numbers_are_not_judged():
    data = one_way()
    data.edge_index = data.edge_index.sort(0).values
    report = amud(data)
    assert (report.verdict, report.gain) == ("undecided", None) and "not genuine" in report.reason
    assert report.correlation["U"] == amud(one_way()).correlation["U"]


def test_an_undirected_graph_is_undirected():
    data = one_way()
    data.edge_index = to_undirected(data.edge_index)
    report = amud(data)
    assert (report.verdict, report.gain) == ("undirected", None) and "both directions" in report.reason


def test_a_graph_without_edges_is_undecided():
    data = one_way()
    data.edge_index = torch.tensor([[0], [0]])
    assert amud(data).reason == "there are no edges between different nodes"


def test_few_labels_leave_it_undecided():
    data = one_way()
    data.edge_index[:, ::2] = data.edge_index[:, ::2].flip(0)
    data.train_mask = torch.arange(400) < 30
    report = amud(data)
    assert report.verdict == "undecided" and "as far as 30 labels show" in report.reason


def test_so_few_labels_that_no_half_shows_two_classes_give_no_gain():
    data = one_way()
    data.train_mask = torch.zeros(400, dtype=torch.bool)
    data.train_mask[[int((data.y == k).nonzero()[0]) for k in (0, 1)]] = True
    report = amud(data)
    assert (report.verdict, report.gain, report.bounds) == ("undecided", None, None)
    assert "too few labels" in report.reason and "nan" not in str(report)


def test_it_reads_a_sparse_adjacency():
    data = one_way()
    ones = torch.ones(data.num_edges)
    sparse = Data(y=data.y, train_mask=data.train_mask)
    sparse.adj_t = torch.sparse_coo_tensor(data.edge_index.flip(0), ones, (400, 400))
    assert amud(sparse) == amud(data)


def test_the_report_reads_well():
    text = str(amud(one_way()))
    assert "verdict         directed: directed neighbourhoods tell more" in text and "direction gain  +" in text
    assert "(1 sigma)" in text


def test_determination_is_the_square():
    report = amud(one_way())
    assert report.determination["AA"] == report.correlation["AA"] ** 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (Data(y=torch.tensor([0, 1])), "'data' must have an 'edge_index'"),
        (HeteroData(), "of several graphs or edge types take one"),
        (Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2), "'data.y' must hold the class of each node"),
        (
            Data(edge_index=torch.tensor([[0], [1]]), y=torch.tensor([0, 1])),
            "'data' must have a 'train_mask'",
        ),
    ],
)
def test_what_is_missing_is_named(data, said):
    with pytest.raises(ValueError, match=said):
        amud(data)


def test_a_split_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"'split' must be one of the 2 columns of 'data\.train_mask', got 2"):
        amud(one_way(), split=2)
