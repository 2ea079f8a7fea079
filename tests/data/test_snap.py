import gzip
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.utils import is_undirected

from graphlab.data import card, load, splits
from graphlab.data.card import Card, File
from graphlab.data.snap import read_snap

# Nodes, edges of the file, self-loops, directed, reciprocal fraction (a self-loop is its own reverse).
FILES = {
    "cit-hepph": (34546, 421578, 44, True, 0.0032),
    "cit-hepth": (27770, 352807, 39, True, 0.0028),
    "soc-slashdot0902": (82168, 948464, 78303, True, 0.8542),
    "ego-twitter": (81306, 1342310, 14, False, 1.0),
    "ego-facebook": (4039, 88234, 0, False, 1.0),
}


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", FILES)
def test_the_graph_is_that_of_the_file(name: str, shared_root: Path) -> None:
    nodes, edges, loops, directed, reciprocal = FILES[name]
    graph: Any = load(name, shared_root)[0]
    source, target = graph.edge_index
    stored = source * nodes + target
    assert graph.num_nodes == nodes and stored.unique().numel() == graph.num_edges
    assert graph.num_edges == (edges if directed else 2 * edges - loops)
    assert int((source == target).sum()) == loops
    assert float(torch.isin(target * nodes + source, stored).double().mean()) == pytest.approx(reciprocal, abs=5e-5)
    assert graph.is_direction_genuine is directed
    assert graph.x is None and graph.y is None


@pytest.mark.usefixtures("mirror")
def test_there_is_nothing_to_split(shared_root: Path) -> None:
    with pytest.raises(ValueError, match="'ego-facebook' is unlabelled and has no splits"):
        splits(load("ego-facebook", shared_root))


def read(folder: Path, text: str) -> Any:
    with gzip.open(folder / "toy.jlg", "wt") as file:
        file.write(text)
    toy = Card(**{**vars(card("cit-hepph")), "name": "toy", "files": (File("toy.jlg", "toy.jlg", "0" * 64),)})
    return read_snap(toy, folder)[0]


def test_nodes_are_counted_from_one_in_the_file_and_from_zero_here(tmp_path: Path) -> None:
    graph = read(tmp_path, "4,3,d,toy,2,Int64,simplegraph\n1,2\n3,3\n2,1\n")
    assert graph.edge_index.tolist() == [[0, 2, 1], [1, 2, 0]] and graph.num_nodes == 4


def test_undirected_graphs_get_both_directions(tmp_path: Path) -> None:
    graph = read(tmp_path, "3,2,u,toy\n1,2\n3,3\n")
    assert graph.edge_index.tolist() == [[0, 1, 2], [1, 0, 2]] and is_undirected(graph.edge_index)


@pytest.mark.parametrize("text", ["3,2,d,toy\n1,2\n", "3,1,d,toy\n1,4\n", "3,1,d,toy\n0,1\n"])
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"says \d edges of 3 nodes and does not hold them"):
        read(tmp_path, text)
