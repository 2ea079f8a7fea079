from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from graphlab.data.graph_list import GraphList


def test_graphs_keep_their_order_and_sizes() -> None:
    graphs = [Data(x=torch.full((n, 1), float(n)), edge_index=torch.zeros(2, n, dtype=torch.long)) for n in (3, 1, 2)]
    dataset: Any = GraphList(graphs, lambda graph: graph.update({"marked": True}))
    assert [graph.num_nodes for graph in dataset] == [3, 1, 2] and len(dataset[1:]) == 2
    assert dataset[2].x.tolist() == [[2.0], [2.0]] and dataset[0].marked


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    GraphList([Data(x=torch.zeros(3, 1))])
    assert not [*tmp_path.iterdir()]
