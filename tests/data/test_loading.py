import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.data import Data, Dataset
from torch_geometric.loader import DataLoader

import graphlab.data
from graphlab.data import card, load, names

REAL = [name for name in names() if card(name).files]
EMBEDDED = [name for name in names() if not card(name).files]


def graph_of(dataset: Dataset) -> Any:
    return dataset[0]


def check_counts(name: str, root: Path) -> None:
    dataset: Any = load(name.upper(), root)
    whole, expected = dataset._data, dataset.card
    assert expected == card(name)
    counts = {
        "num_nodes": whole.num_nodes,
        "num_edges": whole.num_edges,
        "num_graphs": len(dataset),
        "num_features": dataset.num_features,
    }
    if expected.task == "link-prediction":
        parts = dataset.get_edge_split().values()
        counts["num_edges"] = sum(len(part["edge"]) for part in parts)
    if expected.num_classes is not None:
        counts["num_classes"] = dataset.num_classes
    for key, count in counts.items():
        if getattr(expected, key) is not None:
            assert count == getattr(expected, key), key


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_sets_have_the_counts_of_their_cards(name: str, shared_root: Path) -> None:
    check_counts(name, shared_root)


@pytest.mark.parametrize("name", REAL)
@pytest.mark.usefixtures("mirror")
def test_real_sets_have_the_counts_of_their_cards(name: str, shared_root: Path) -> None:
    check_counts(name, shared_root)


@pytest.mark.parametrize("name", names())
def test_transform_reaches_every_set(name: str, shared_root: Path, request: Any) -> None:
    if name in REAL:
        request.getfixturevalue("mirror")

    def mark(item: Data) -> Data:
        item.marked = True
        return item

    assert graph_of(load(name, shared_root, transform=mark)).marked


def test_the_card_stays_on_a_subset(shared_root: Path) -> None:
    dataset: Any = load("second-minimum", shared_root, num_train=8, num_valid=1, num_test=1)
    assert dataset[:4].card is card("second-minimum")


def test_unknown_options_are_refused(shared_root: Path) -> None:
    with pytest.raises(ValueError, match=r"'digits' takes no option 'kk' \(known: k, transform\)"):
        load("digits", shared_root, kk=3)
    with pytest.raises(ValueError, match=r"'karate' takes no option 'card' \(known: transform\)"):
        load("karate", shared_root, card=1)


def test_unknown_names_are_refused(shared_root: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'mutag'"):
        load("mutagg", shared_root)


def test_embedded_graphs_touch_no_folder(tmp_path: Path) -> None:
    root = tmp_path / "root"
    load("digits", root)
    load("karate", root)
    assert not root.exists()


@pytest.mark.parametrize("name", ["cora", "mutag", "ogbg-molhiv", "ogbl-ddi"])
def test_offline_and_without_a_mirror_the_error_says_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*args: object, **kwargs: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    monkeypatch.setattr("torch_geometric.io.fs.cp", unreachable)
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    # An interrupted run of an older program: OGB would ask on the terminal what to do with it.
    left_over = tmp_path / Path(card(name).files[0].path).parts[0] / "raw"
    left_over.mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=f"data set '{name}' lacks .*is unreachable"):
        load(name, tmp_path)


def test_the_mirror_is_never_written_to(mirror: Path, tmp_path: Path) -> None:
    def state() -> list[tuple[str, int, int, int]]:
        paths = sorted(path for part in ("tu", "node") for path in (mirror / part).rglob("*"))
        stats = [path.stat() for path in paths]
        return [
            (str(path), stat.st_mtime_ns, stat.st_size, stat.st_nlink) for path, stat in zip(paths, stats, strict=True)
        ]

    before = state()
    for name in ("cora", "mutag"):
        load(name, tmp_path)
    assert state() == before


RANK = """
import pathlib, sys, time
from graphlab.data import load, splits
name, root, rank = sys.argv[1:]
(pathlib.Path(root) / f"ready-{rank}").touch()
while len(list(pathlib.Path(root).glob("ready-*"))) < 2:
    time.sleep(0.001)
dataset = load(name, root)
print(dataset._data.num_nodes, int(dataset._data.edge_index.sum()), dataset._data.x.sum().item())
"""


@pytest.mark.usefixtures("mirror")
def test_two_processes_may_load_the_same_set_at_once(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", RANK, "cora", str(tmp_path), rank] for rank in "01"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    env = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
    ranks = [subprocess.Popen(command, env=env, **pipes) for command in commands]
    outputs = [rank.communicate() for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert outputs[0][0].startswith("2708 ")
    assert sum(output[1].count("Processing...") for output in outputs) == 1


def test_graphs_batch_as_pyg_s_do(shared_root: Path) -> None:
    options = {"num_train": 2, "num_valid": 1, "num_test": 1}
    dataset: Any = load("pna-multitask", shared_root, **options)
    batch = next(iter(DataLoader(dataset[:3], batch_size=3)))
    sizes = [item.num_nodes for item in dataset[:3]]
    assert batch.y_graph.shape == (3, 3)
    assert batch.ptr.diff().tolist() == sizes
    last = dataset[2].edge_index + sum(sizes[:2])
    assert torch.equal(batch.edge_index[:, -last.size(1) :], last)


@pytest.mark.parametrize("module", [info.name for info in pkgutil.iter_modules(graphlab.data.__path__)])
def test_examples_in_docstrings_run(module: str) -> None:
    if module == "ogb":
        pytest.importorskip("ogb")
    loaded = importlib.import_module(f"graphlab.data.{module}")
    assert doctest.testmod(loaded).failed == 0
