import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from graphlab.data import card, load, splits
from graphlab.data.card import Card, File
from graphlab.data.csr_npz import read_csr_npz

# Nodes, arcs, self-loops, reciprocal fraction (a self-loop is its own reverse), homophily without self-loops, classes.
FILES = {
    "cora-ml": (2995, 8416, 0, 0.061, 0.7921, [354, 402, 452, 442, 857, 193, 295]),
    "citeseer-directed": (3312, 4715, 124, 0.050, 0.7393, [249, 596, 701, 508, 668, 590]),
    "cora-directed": (2708, 5429, 0, 0.056, 0.8138, [298, 418, 818, 426, 217, 180, 351]),
}


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", FILES)
def test_the_graph_is_that_of_the_file(name: str, shared_root: Path) -> None:
    nodes, arcs, loops, reciprocal, homophily, classes = FILES[name]
    graph: Any = load(name, shared_root)[0]
    source, target = graph.edge_index
    stored = source * nodes + target
    assert graph.num_nodes == nodes and stored.unique().numel() == graph.num_edges == arcs
    assert int((source == target).sum()) == loops
    assert float(torch.isin(target * nodes + source, stored).double().mean()) == pytest.approx(reciprocal, abs=5e-4)
    same = (graph.y[source] == graph.y[target])[source != target]
    assert float(same.double().mean()) == pytest.approx(homophily, abs=5e-5)
    assert graph.y.bincount().tolist() == classes
    assert graph.is_direction_genuine is True
    assert graph.x.dtype == torch.float32 and bool(graph.x.isfinite().all())


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", FILES)
def test_splits_hold_twenty_a_class_and_five_hundred(name: str, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    nodes, classes = FILES[name][0], len(FILES[name][5])
    for split in range(10):
        parts = splits(dataset, split)
        assert dataset[0].y[parts["train"]].bincount().tolist() == [20] * classes
        assert len(parts["valid"]) == 500 and len(parts["test"]) == nodes - 500 - 20 * classes
        assert torch.equal(torch.cat([*parts.values()]).sort().values, torch.arange(nodes))
    with pytest.raises(ValueError, match=f"'{name}' has splits 0 to 9; got split=10"):
        splits(dataset, 10)


@pytest.mark.usefixtures("mirror")
def test_the_splits_of_cora_ml_never_change(shared_root: Path) -> None:
    parts = [splits(load("cora-ml", shared_root), split) for split in (0, 9)]
    digest = hashlib.sha256(b"".join(part.numpy().tobytes() for each in parts for part in each.values()))
    assert digest.hexdigest()[:16] == "db70128bb1f252e9"


def test_a_small_file_is_read_arc_by_arc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphlab.data.csr_npz._PER_CLASS", 1)
    monkeypatch.setattr("graphlab.data.csr_npz._NUM_VALID", 1)
    adj = {"data": np.ones(4), "indices": [2, 1, 3, 0], "indptr": [0, 1, 2, 3, 4], "shape": (4, 4)}
    attr = {"data": [0.5, 2.0], "indices": [1, 0], "indptr": [0, 1, 1, 1, 2], "shape": (4, 2)}
    arrays = {f"{name}_{key}": value for name, each in (("adj", adj), ("attr", attr)) for key, value in each.items()}
    np.savez(tmp_path / "toy.npz", labels=np.array([0, 1, 0, 1], dtype=np.int8), **arrays)
    toy = Card(**{**vars(card("cora-ml")), "name": "toy", "files": (File("toy.npz", "toy.npz", "0" * 64),)})
    graph: Any = read_csr_npz(toy, tmp_path)[0]
    assert graph.edge_index.tolist() == [[0, 1, 2, 3], [2, 1, 3, 0]]
    assert graph.x.tolist() == [[0.0, 0.5], [0.0, 0.0], [0.0, 0.0], [2.0, 0.0]]
    assert graph.y.tolist() == [0, 1, 0, 1]
    assert graph.train_mask.shape == (4, 10)


def test_without_the_file_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"'cora-ml' lacks .*cora_ml\.npz; .*no library downloads"):
        load("cora-ml", tmp_path)
