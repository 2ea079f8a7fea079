import torch
from torch_geometric.data import Data

from graphlab.data.one_graph import OneGraph


def test_one_graph_stands_in_the_set_and_keeps_plain_values() -> None:
    graph = Data(x=torch.rand(3, 2), y=torch.tensor([0, 2, 1]), is_direction_genuine=False)
    dataset = OneGraph(graph)
    assert len(dataset) == 1 and dataset.num_classes == 3 and dataset.num_features == 2
    assert dataset[0].is_direction_genuine is False
    assert torch.equal(dataset[0].x, graph.x)


def test_the_transform_runs_at_every_access() -> None:
    def more(item: Data) -> Data:
        item.x = item.x + 1
        return item

    dataset = OneGraph(Data(x=torch.zeros(1, 1)), more)
    assert dataset[0].x.item() == dataset[0].x.item() == 1
