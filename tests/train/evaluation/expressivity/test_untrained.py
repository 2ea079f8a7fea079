from pathlib import Path
from typing import Any

import pytest
import torch

from graphlab.data import load
from graphlab.train.evaluation.expressivity import COMPARISONS, Comparison, network
from graphlab.train.evaluation.expressivity.embedding import relabelled, untrained
from graphlab.train.evaluation.expressivity.untrained import compare
from tests.data.conftest import mirror, shared_root  # noqa: F401 - fixtures
from tests.train.evaluation.expressivity.toys import (
    HERE,
    HEXAGON,
    PATH,
    STAR,
    TRIANGLES,
    random_graphs,
)

PAIRS = [HEXAGON, TRIANGLES, PATH, STAR, HEXAGON, HEXAGON]
PARTS = Comparison("toys", "none", {"regular": range(1), "trees": range(1, 2), "same": range(2, 3)})
ALL = Comparison("all", "none")


def separated(name: str, comparison: Comparison, graphs: list[Any]) -> dict[str, int]:
    return compare(untrained(network(name), 1), comparison, graphs).separated


def test_pairs_are_counted_by_parts_and_together() -> None:
    walks, gin = (separated(name, PARTS, PAIRS) for name in (f"{HERE}:ClosedWalks", "gin"))
    assert walks == {"regular": 1, "trees": 1, "same": 0, "toys": 2}
    assert gin == {"regular": 0, "trees": 1, "same": 0, "toys": 1}


def test_every_graph_is_compared_with_every_other() -> None:
    assert separated(f"{HERE}:ClosedWalks", ALL, PAIRS) == {"all": 15 - 3}
    assert separated("gin", ALL, PAIRS) == {"all": 15 - 6}
    assert separated(f"{HERE}:Constant", ALL, PAIRS) == {"all": 0}
    assert separated(f"{HERE}:ClosedWalks", Comparison("third", "none", step=3), PAIRS) == {"third": 1}


def test_a_refinement_is_compared_by_its_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    degrees = type(network("wl"))("degrees", f"{HERE}:degree_colors", refines=True)
    found = compare(untrained(degrees, 1), PARTS, PAIRS)
    assert found.separated == {"regular": 0, "trees": 1, "same": 0, "toys": 1} and found.noise == 0


@pytest.mark.parametrize("name", ["gin", f"{HERE}:ClosedWalks", f"{HERE}:LearnedWalks"])
def test_copies_in_another_order_are_not_told_apart(name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    pairs = [one for graph in random_graphs(40) for one in (graph, relabelled(graph, generator))]
    found = compare(untrained(network(name), 1), Comparison("copies", "none", {"copies": range(40)}), pairs)
    assert found.separated == {"copies": 0} and found.noise <= 1e-13


def test_what_depends_on_the_order_of_nodes_separates_nothing() -> None:
    found = compare(untrained(network(f"{HERE}:OrderedDegrees"), 1), ALL, PAIRS)
    assert found.separated == {"all": 0} and found.noise > 0.01


@pytest.mark.usefixtures("mirror")
def test_gin_separates_nothing_of_brec(shared_root: Path) -> None:  # noqa: F811 - a fixture
    graphs: Any = [*load("brec", shared_root)]  # pyright: ignore[reportGeneralTypeIssues]
    found = compare(untrained(network("gin"), 1), COMPARISONS["brec"], graphs)
    assert set(found.separated.values()) == {0} and found.noise <= 1e-13


@pytest.mark.usefixtures("mirror")
def test_classes_of_csl_are_compared_by_a_graph_of_each(shared_root: Path) -> None:  # noqa: F811 - a fixture
    dataset: Any = load("csl", shared_root)
    comparison = COMPARISONS["csl"]
    assert dataset.y[:: comparison.step].tolist() == [*range(10)] and comparison.totals == {"csl": 45}
    assert separated(f"{HERE}:ClosedWalks", comparison, [*dataset]) == {"csl": 45}
    assert separated("gin", comparison, [*dataset]) == {"csl": 0}
