"""Small data sets that come with the package or are drawn here, so that training takes moments."""

from types import SimpleNamespace
from typing import Any

import torch
from torch_geometric.data import Data

import graphlab.data


class Graphs(list):
    """Random graphs with a card; the label is whether there are more than six nodes."""

    num_classes = 2
    card = SimpleNamespace(task="graph-classification", metric="accuracy")

    def __init__(self, count: int = 61) -> None:
        generator = torch.Generator().manual_seed(0)
        sizes = torch.randint(3, 11, (count,), generator=generator).tolist()
        super().__init__(self.graph(nodes, generator) for nodes in sizes)

    def graph(self, nodes: int, generator: torch.Generator) -> Data:
        edges = torch.randint(nodes, (2, 3 * nodes), generator=generator)
        x = torch.rand(nodes, 2, generator=generator)
        return Data(x=x, edge_index=edges, y=torch.tensor([int(nodes > 6)]))


class Multitask(Graphs):
    """Graphs of 3 to 10 nodes; targets are linear in the features."""

    card = SimpleNamespace(task="multitask-regression", metric="log10mse")

    def graph(self, nodes: int, generator: torch.Generator) -> Data:
        data: Any = super().graph(nodes, generator)
        data.y_node = data.x.flip(1)
        data.y_graph = data.x.sum(dim=0, keepdim=True)
        return data


def halves(dataset: Any, *_: Any) -> dict[str, torch.Tensor]:
    """Train on the first half, validate and test on a quarter each."""
    rows = torch.arange(len(dataset))
    half, quarter = len(dataset) // 2, len(dataset) * 3 // 4
    return {"train": rows[:half], "valid": rows[half:quarter], "test": rows[quarter:]}


def use(monkeypatch: Any, dataset: Any) -> None:
    """Let every data set name stand for this one."""
    monkeypatch.setattr(graphlab.data, "load", lambda name, root=None: dataset, raising=False)
    monkeypatch.setattr(graphlab.data, "splits", halves, raising=False)
