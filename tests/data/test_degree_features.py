from pathlib import Path
from typing import Any

import pytest
import torch

from graphlab.data import load


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", ["imdb-binary", "imdb-multi"])
def test_a_feature_says_the_degree(name: str, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    listed = [graph.edge_index[0].bincount(minlength=graph.num_nodes) for graph in dataset]
    degrees = torch.cat(listed)
    assert torch.equal(dataset._data.x.sum(dim=1), torch.ones(len(degrees)))
    assert torch.equal(degrees.unique()[dataset._data.x.argmax(dim=1)], degrees)


@pytest.mark.usefixtures("mirror")
def test_edges_are_coalesced_and_graphs_whole(shared_root: Path) -> None:
    dataset: Any = load("imdb-binary", shared_root)
    for graph in dataset[:100]:
        assert graph.is_coalesced() and graph.is_undirected() and not graph.has_self_loops()
        assert graph.x.shape == (graph.num_nodes, dataset.num_features) and not graph.has_isolated_nodes()


@pytest.mark.usefixtures("mirror")
def test_a_transform_sees_the_features(shared_root: Path) -> None:
    widths = []
    load("imdb-multi", shared_root, transform=lambda graph: widths.append(graph.x.size(1)) or graph)[0]
    assert widths == [59]
