from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from graphlab.data import Card, card, load
from graphlab.data.card import File
from graphlab.data.csl import read_csl

SKIPS = (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)


@pytest.mark.usefixtures("mirror")
def test_classes_are_the_skips(shared_root: Path) -> None:
    dataset: Any = load("csl", shared_root)
    assert dataset.y.bincount().tolist() == [15] * 10
    for graph in dataset[::5]:
        expected = nx.circulant_graph(41, [1, SKIPS[int(graph.y)]])
        assert nx.is_isomorphic(nx.Graph(graph.edge_index.t().tolist()), expected)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "graphs").write_text("A_\nBw\n")
    (tmp_path / "labels").write_text("0\n")
    files = tuple(File(name, name, "0" * 64) for name in ("graphs", "labels"))
    toy = Card(**{**vars(card("csl")), "name": "toy", "files": files})
    with pytest.raises(ValueError, match=r"graphs has 2 graphs, but .*labels has 1 labels; fetch them again"):
        read_csl(toy, tmp_path)
