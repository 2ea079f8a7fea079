from pathlib import Path

import networkx as nx
import pytest
from torch_geometric.utils import to_networkx

from graphlab.data import load

COUNTS = {2: 1, 3: 2, 4: 6, 5: 21, 6: 112, 7: 853}


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("num_nodes", COUNTS)
def test_all_graphs_are_there_and_connected(num_nodes: int, shared_root: Path) -> None:
    graphs = [to_networkx(graph, to_undirected=True) for graph in load("graph8c", shared_root, num_nodes=num_nodes)]
    assert len(graphs) == COUNTS[num_nodes]
    assert all(len(graph) == num_nodes and nx.is_connected(graph) for graph in graphs)


@pytest.mark.usefixtures("mirror")
def test_no_two_graphs_are_isomorphic(shared_root: Path) -> None:
    graphs = [to_networkx(graph, to_undirected=True) for graph in load("graph8c", shared_root, num_nodes=5)]
    assert not any(nx.is_isomorphic(a, b) for n, a in enumerate(graphs) for b in graphs[:n])


@pytest.mark.parametrize("num_nodes", [1, 9])
def test_other_sizes_are_refused(num_nodes: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"num_nodes must be one of 2, 3, 4, 5, 6, 7, 8, got {num_nodes}"):
        load("graph8c", tmp_path, num_nodes=num_nodes)
