from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch_geometric.utils import is_undirected

from graphlab.data import card, load, names, splits


class Counts(NamedTuple):
    """What the file holds; the reciprocal fraction counts a self-loop as its own reverse."""

    nodes: int
    arcs: int
    loops: int
    pairs: int
    reciprocal: float
    features: int
    classes: list[int]
    homophily: float
    parts: tuple[int, int, int] | None


TRAFFIC = [456, 460, 453, 521, 387]
FILTERED = [242, 134, 209, 164, 141]
SQUIRREL = [1042, 1040, 1039, 1040, 1040]
SQUIRREL_FILTERED = [756, 516, 397, 321, 233]
LARGE, LARGER, WEB = (1092, 729, 456), (2496, 1664, 1041), (87, 59, 37)
TEXAS = [33, 1, 18, 101, 30]
FILES = {
    "actor": Counts(7600, 26659, 0, 26659, 0.0, 932, [853, 1337, 1630, 1815, 1965], 0.2167, (3648, 2432, 1520)),
    "chameleon": Counts(2277, 31371, 0, 31371, 0.0, 2325, TRAFFIC, 0.2299, LARGE),
    "chameleon-directed": Counts(2277, 36101, 50, 31371, 0.261, 2325, TRAFFIC, 0.2339, LARGE),
    "chameleon-filtered": Counts(890, 8854, 0, 8854, 0.0, 2325, FILTERED, 0.2361, None),
    "chameleon-filtered-directed": Counts(890, 13584, 50, 8854, 0.693, 2325, FILTERED, 0.2446, None),
    "squirrel": Counts(5201, 198353, 0, 198353, 0.0, 2089, SQUIRREL, 0.2221, LARGER),
    "squirrel-directed": Counts(5201, 217073, 140, 198353, 0.172, 2089, SQUIRREL, 0.2234, LARGER),
    "squirrel-filtered": Counts(2223, 46998, 0, 46998, 0.0, 2089, SQUIRREL_FILTERED, 0.2072, None),
    "squirrel-filtered-directed": Counts(2223, 65718, 140, 46998, 0.568, 2089, SQUIRREL_FILTERED, 0.2157, None),
    "cornell": Counts(183, 277, 0, 277, 0.0, 1703, [38, 16, 30, 82, 17], 0.1227, WEB),
    "texas": Counts(183, 279, 0, 279, 0.0, 1703, TEXAS, 0.0609, WEB),
    "texas-4-classes": Counts(183, 279, 0, 279, 0.0, 1703, TEXAS, 0.0609, None),
    "wisconsin": Counts(251, 450, 0, 450, 0.0, 1703, [10, 70, 118, 32, 21], 0.1778, (120, 80, 51)),
    "minesweeper": Counts(10000, 39402, 0, 39402, 0.0, 7, [8000, 2000], 0.6828, (5000, 2500, 2500)),
}
NAMES = [*FILES]


def graph_of(name: str, root: Path, **options: Any) -> Any:
    return load(name, root, **options)[0]


def keys(edge_index: Tensor, num_nodes: int) -> Tensor:
    return edge_index[0] * num_nodes + edge_index[1]


def test_every_set_of_the_reader_is_counted_here() -> None:
    assert sorted(FILES) == [name for name in names() if card(name).reader == "heterophilous"]


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", NAMES)
def test_edges_are_those_of_the_file(name: str, shared_root: Path) -> None:
    counts = FILES[name]
    graph = graph_of(name, shared_root, as_stored=True)
    source, target = graph.edge_index
    proper = graph.edge_index[:, source != target]
    assert graph.edge_index.size(1) == counts.arcs == keys(graph.edge_index, counts.nodes).unique().numel()
    assert int((source == target).sum()) == counts.loops
    assert keys(proper.sort(dim=0).values, counts.nodes).unique().numel() == counts.pairs
    returned = torch.isin(keys(graph.edge_index.flip(0), counts.nodes), keys(graph.edge_index, counts.nodes))
    assert float(returned.double().mean()) == pytest.approx(counts.reciprocal, abs=5e-4)
    assert float((graph.y[proper[0]] == graph.y[proper[1]]).double().mean()) == pytest.approx(
        counts.homophily, abs=5e-5
    )


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", NAMES)
def test_nodes_are_those_of_the_file(name: str, shared_root: Path) -> None:
    counts, graph = FILES[name], graph_of(name, shared_root)
    assert graph.x.shape == (counts.nodes, counts.features) and graph.x.dtype == torch.float32
    assert bool(graph.x.isfinite().all())
    assert graph.y.bincount().tolist() == counts.classes


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", NAMES)
def test_ten_masks_part_the_nodes(name: str, shared_root: Path) -> None:
    graph = graph_of(name, shared_root)
    masks = [graph.train_mask, graph.val_mask, graph.test_mask]
    assert all(mask.shape == (graph.num_nodes, 10) and mask.dtype == torch.bool for mask in masks)
    together = torch.stack(masks).sum(0)
    left_out = graph.y == 1 if name == "texas-4-classes" else torch.zeros_like(graph.y).bool()
    assert bool((together == (~left_out).long()[:, None]).all())
    sizes = {tuple(int(mask[:, split].sum()) for mask in masks) for split in range(10)}
    expected = FILES[name].parts
    assert expected is None or sizes == {expected}
    assert len(graph.train_mask.unique(dim=1).t()) == 10


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", NAMES)
def test_only_undirected_graphs_get_both_directions(name: str, shared_root: Path) -> None:
    graph, stored = graph_of(name, shared_root), graph_of(name, shared_root, as_stored=True)
    directed = name.endswith("-directed")
    assert graph.is_direction_genuine is stored.is_direction_genuine is directed
    if directed:
        assert torch.equal(graph.edge_index, stored.edge_index)
    else:
        assert is_undirected(graph.edge_index) and graph.num_edges == 2 * stored.num_edges
        rising = graph.edge_index[:, graph.edge_index[0] < graph.edge_index[1]]
        assert torch.equal(keys(rising, graph.num_nodes), keys(stored.edge_index, graph.num_nodes).sort().values)


@pytest.mark.usefixtures("mirror")
def test_splits_are_the_columns_of_the_masks(shared_root: Path) -> None:
    dataset: Any = load("cornell", shared_root)
    for split in range(10):
        parts = splits(dataset, split)
        for part, mask in (("train", "train_mask"), ("valid", "val_mask"), ("test", "test_mask")):
            assert torch.equal(parts[part], dataset[0][mask][:, split].nonzero().view(-1))
    with pytest.raises(ValueError, match="'cornell' has splits 0 to 9; got split=10"):
        splits(dataset, 10)


def test_without_the_file_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"'cornell' lacks heterophilous/cornell\.npz; .*no library downloads"):
        load("cornell", tmp_path)
