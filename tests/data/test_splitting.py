from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.datasets import KarateClub

from graphlab.data import load, splits


def partition(parts: dict[str, Tensor], count: int) -> None:
    """The parts hold every index below ``count`` once."""
    together = torch.cat(list(parts.values()))
    assert torch.equal(together.sort().values, torch.arange(count))


@pytest.mark.parametrize("name", ["digits", "karate"])
def test_masks_become_indices(name: str, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    parts = splits(dataset)
    partition(parts, dataset[0].num_nodes)
    for part, mask in (("train", "train_mask"), ("valid", "val_mask"), ("test", "test_mask")):
        assert dataset[0][mask][parts[part]].all()
        assert dataset[0][mask].sum() == len(parts[part])


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(("name", "classes"), [("cora", 7), ("citeseer", 6)])
def test_planetoid_has_the_public_split(name: str, classes: int, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    parts = splits(dataset)
    assert {key: len(part) for key, part in parts.items()} == {
        "train": 20 * classes,
        "valid": 500,
        "test": 1000,
    }
    assert torch.equal(dataset[0].y[parts["train"]].bincount(), torch.full((classes,), 20))
    assert len(torch.cat(list(parts.values())).unique()) == 20 * classes + 1500


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", ["mutag", "proteins"])
def test_folds_partition_rotate_and_are_stratified(name: str, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    folds = [splits(dataset, fold) for fold in range(10)]
    share = dataset.y.float().mean()
    for fold, parts in enumerate(folds):
        partition(parts, len(dataset))
        assert torch.equal(parts["valid"], folds[(fold + 1) % 10]["test"])
        positives = dataset.y[parts["test"]].sum()
        assert abs(positives - share * len(parts["test"])) < 1.0
    assert torch.equal(torch.cat([parts["test"] for parts in folds]).sort().values, torch.arange(len(dataset)))
    assert torch.equal(splits(dataset, 3)["test"], folds[3]["test"])


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(("name", "folds", "each"), [("exp", 10, 60), ("cexp", 10, 60), ("csl", 5, 3)])
def test_folds_of_balanced_sets_hold_as_many_of_each_class(name: str, folds: int, each: int, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    tests = [splits(dataset, fold)["test"] for fold in range(folds)]
    for fold, test in enumerate(tests):
        partition(splits(dataset, fold), len(dataset))
        assert dataset.y[test].bincount().tolist() == [each] * dataset.num_classes
    assert torch.cat(tests).unique().numel() == len(dataset)


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", ["mutag", "proteins", "ptc"])
def test_gin_folds_are_the_fixed_ones(name: str, mirror: Path, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    folder = mirror / "tu/splits_gnn_matlang" / (name.upper() if name == "ptc" else name)
    for fold in range(10):
        parts = splits(dataset, fold, protocol="gin")
        partition({key: parts[key] for key in ("train", "test")}, len(dataset))
        assert torch.equal(parts["valid"], parts["test"])
        file = folder / f"test_idx-{fold + 1}.txt"
        assert parts["test"].tolist() == [int(line) for line in file.read_text().split()]


@pytest.mark.usefixtures("mirror")
def test_gin_folds_of_a_set_without_files_are_those_of_its_default(shared_root: Path) -> None:
    dataset: Any = load("imdb-binary", shared_root)
    for fold in range(10):
        parts = splits(dataset, fold, protocol="gin")
        assert torch.equal(parts["test"], splits(dataset, fold)["test"]) and parts["valid"] is parts["test"]
        partition({key: parts[key] for key in ("train", "test")}, len(dataset))


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("name", ["mutag", "imdb-multi"])
def test_nested_validates_on_a_tenth_of_what_is_not_tested(name: str, shared_root: Path) -> None:
    dataset: Any = load(name, shared_root)
    seen = []
    for fold in range(10):
        parts, tested = splits(dataset, fold, "nested"), splits(dataset, fold, "gin")["test"]
        partition(parts, len(dataset))
        assert torch.equal(parts["test"], tested)
        held = len(parts["train"]) + len(parts["valid"])
        assert len(parts["valid"]) == -(-held // 10)
        shares = [dataset.y[parts[part]].bincount() / len(parts[part]) for part in ("train", "valid")]
        assert (shares[0] - shares[1]).abs().max() * len(parts["valid"]) < 1.1
        assert torch.equal(parts["valid"], splits(dataset, fold, "nested", seed=0)["valid"])
        seen += [tuple(parts["valid"].tolist()), tuple(splits(dataset, fold, "nested", seed=1)["valid"].tolist())]
    assert len(set(seen)) == 20


@pytest.mark.usefixtures("mirror")
def test_gin_folds_that_are_nowhere_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = load("mutag", tmp_path)
    monkeypatch.delenv("GRAPHLAB_DATA")
    with pytest.raises(FileNotFoundError, match=r"MUTAG/gin_folds/train_idx-1\.txt"):
        splits(dataset, protocol="gin")


@pytest.mark.usefixtures("mirror")
def test_folds_beyond_the_last_are_refused(shared_root: Path) -> None:
    dataset = load("mutag", shared_root)
    with pytest.raises(ValueError, match="'mutag' has splits 0 to 9; got split=10"):
        splits(dataset, 10)
    with pytest.raises(ValueError, match="got split=-1"):
        splits(dataset, -1, protocol="gin")


def test_what_has_one_split_has_no_other(shared_root: Path) -> None:
    with pytest.raises(ValueError, match="'karate' has one split, 0; got split=1"):
        splits(load("karate", shared_root), 1)


def test_protocols_are_checked(shared_root: Path) -> None:
    karate, unknown = load("karate", shared_root), "nest"
    with pytest.raises(ValueError, match="'karate' has no folds for protocol='gin': use protocol='default'"):
        splits(karate, protocol="gin")
    with pytest.raises(ValueError, match="'karate' has no folds for protocol='nested': use protocol='default'"):
        splits(karate, protocol="nested")
    with pytest.raises(ValueError, match="protocol must be one of 'default', 'gin', 'nested', got 'nest'"):
        splits(karate, protocol=unknown)  # pyright: ignore[reportArgumentType]


def test_only_whole_sets_with_a_card_are_split(shared_root: Path) -> None:
    with pytest.raises(ValueError, match=r"must come from graphlab\.data\.load"):
        splits(KarateClub())
    small: Any = load("second-minimum", shared_root, num_train=8, num_valid=1, num_test=1)
    with pytest.raises(ValueError, match="must be whole, got a subset with 3 items"):
        splits(small[:3])


def test_synthetic_splits_lie_one_after_another(shared_root: Path) -> None:
    options = {"num_train": 5, "num_valid": 3, "num_test": 2, "test_sizes": (4, 9)}
    parts = splits(load("second-minimum", shared_root, **options))
    assert {key: part.tolist() for key, part in parts.items()} == {
        "train": [0, 1, 2, 3, 4],
        "valid": [5, 6, 7],
        "test": [8, 9, 10, 11],
    }
