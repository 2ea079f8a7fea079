from pathlib import Path
from typing import Any

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.data import load, splits
from graphlab.data.graph6 import parse_graph6

# Of the families (vertices, degree, common neighbours of neighbours, and of others): how many graphs there are.
FAMILIES = {
    (16, 6, 2, 2): 2,
    (25, 12, 5, 6): 15,
    (26, 10, 3, 4): 10,
    (28, 12, 6, 4): 4,
    (29, 14, 6, 7): 41,
    (35, 16, 6, 8): 3854,
}


def written(folder: Path, *lines: bytes) -> Path:
    path = folder / "graphs.g6"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@given(st.integers(0, 70), st.floats(0, 1), st.integers(0, 2**16), st.booleans())
def test_what_is_written_is_read(tmp_path_factory: Any, nodes: int, share: float, seed: int, header: bool) -> None:
    graph = nx.gnp_random_graph(nodes, share, seed)
    path = written(tmp_path_factory.mktemp("g6"), nx.to_graph6_bytes(graph, header=header).strip(), b"")
    read: Any = parse_graph6([path])[0]
    adjacency = torch.zeros(nodes, nodes)
    adjacency[read.edge_index[0], read.edge_index[1]] = 1
    assert torch.equal(adjacency, torch.from_numpy(nx.to_numpy_array(graph)).float()) and read.is_coalesced()
    assert torch.equal(read.x, torch.ones(nodes, 1)) and read.num_nodes == nodes


def test_files_follow_one_another(tmp_path: Path) -> None:
    path = written(tmp_path, b"A_", b">>graph6<<Bw")
    assert [graph.num_nodes for graph in parse_graph6([path, path])] == [2, 3, 2, 3]


@pytest.mark.parametrize("line", [b"B", b"Bwww", b"\x01\x02", b"B\xff", b"~", b">>sparse6<<:Bw"])
def test_a_line_that_is_no_graph_is_named(line: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"graphs\.g6, line 2: expected a graph in graph6, got"):
        parse_graph6([written(tmp_path, b"A_", line)])


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("parameters", FAMILIES, ids=str)
def test_families_are_strongly_regular(parameters: tuple[int, int, int, int], shared_root: Path) -> None:
    nodes, degree, near, far = parameters
    dataset: Any = load(f"sr{''.join(map(str, parameters))}", shared_root)
    assert len(dataset) == FAMILIES[parameters]
    for graph in dataset[:20]:
        adjacency = torch.zeros(nodes, nodes)
        adjacency[graph.edge_index[0], graph.edge_index[1]] = 1
        eye, ones = torch.eye(nodes), torch.ones(nodes, nodes)
        assert torch.equal(adjacency @ adjacency, degree * eye + near * adjacency + far * (ones - eye - adjacency))


@pytest.mark.usefixtures("mirror")
def test_there_is_nothing_to_split(shared_root: Path) -> None:
    with pytest.raises(ValueError, match="'sr16622' is unlabelled and has no splits"):
        splits(load("sr16622", shared_root))
