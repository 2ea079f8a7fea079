from pathlib import Path
from typing import Any

import pytest

from graphlab.data import Card, card, load
from graphlab.data.card import File
from graphlab.data.sat_pairs import read_sat_pairs

GOOD = "2\n3 1\n0 1 2\n1 0\n1 1 0\n1 0\n0 0\n"


def read(folder: Path, text: str) -> Any:
    (folder / "toy.txt").write_text(text)
    return read_sat_pairs(
        Card(**{**vars(card("exp")), "name": "toy", "files": (File("toy.txt", "toy.txt", "0" * 64),)}), folder
    )


def test_graphs_are_those_of_the_file(tmp_path: Path) -> None:
    first, second = read(tmp_path, GOOD)
    assert first.x.tolist() == [[1, 0], [0, 1], [0, 1]] and first.edge_index.tolist() == [[0, 2], [2, 0]]
    assert [int(first.y), int(second.y), int(second.pair)] == [1, 0, 0] and second.edge_index.shape == (2, 0)


@pytest.mark.parametrize(
    "text", ["", "3" + GOOD[1:], GOOD[:-4], GOOD.replace("2\n1 0", "3\n1 0"), GOOD.replace("0 1 2", "2 1 2"), "x"]
)
def test_a_file_that_does_not_hold_what_it_says_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"toy\.txt does not hold the graphs that it says"):
        read(tmp_path, text)


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(("name", "smallest", "largest"), [("exp", 33, 73), ("cexp", 40, 81)])
def test_pairs_have_different_labels(name: str, smallest: int, largest: int, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    sizes = [graph.num_nodes for graph in dataset]
    assert (min(sizes), max(sizes)) == (smallest, largest)
    assert dataset.pair.tolist() == [number // 2 for number in range(1200)]
    assert (dataset.y[::2] != dataset.y[1::2]).all()
    assert all(graph.is_undirected() and not graph.has_self_loops() for graph in dataset[:50])
