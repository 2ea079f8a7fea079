from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from torch_geometric.utils import degree

from graphlab.data import card, load
from graphlab.data.brec_categories import CATEGORIES


def test_categories_are_the_files_of_the_card() -> None:
    assert [Path(file.path).stem for file in card("brec").files] == [*CATEGORIES]
    assert [pair for pairs in CATEGORIES.values() for pair in pairs] == [*range(400)]


@pytest.mark.usefixtures("mirror")
def test_pairs_have_equal_degrees_and_differ(shared_root: Path) -> None:
    dataset: Any = load("brec", shared_root)
    for number, (one, other) in enumerate(zip(dataset[::2], dataset[1::2], strict=True)):
        assert int(one.pair) == int(other.pair) == number
        first, second = (degree(graph.edge_index[0], graph.num_nodes).sort().values for graph in (one, other))
        assert first.tolist() == second.tolist()


@pytest.mark.usefixtures("mirror")
def test_basic_pairs_are_not_isomorphic(shared_root: Path) -> None:
    dataset: Any = load("brec", shared_root)
    graphs = [nx.Graph(graph.edge_index.t().tolist()) for graph in dataset[:120]]
    assert not any(nx.is_isomorphic(graphs[2 * pair], graphs[2 * pair + 1]) for pair in CATEGORIES["basic"])
