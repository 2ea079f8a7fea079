from pathlib import Path

import pytest
import torch
from torch import Tensor

from graphlab.data.synthetic import SyntheticDataset, cached, check_counts, check_seed


def made() -> dict[str, Tensor]:
    return {"x": torch.arange(3)}


def never() -> dict[str, Tensor]:
    raise AssertionError("was made again")


def test_the_same_arguments_are_read_back(tmp_path: Path) -> None:
    cached(tmp_path, "toy", {"version": 1, "n": 3}, made)
    again = cached(tmp_path, "toy", {"n": 3, "version": 1}, never)
    assert torch.equal(again["x"], torch.arange(3))


@pytest.mark.parametrize("changed", [{"version": 2, "n": 3}, {"version": 1, "n": 4}])
def test_other_arguments_are_made_anew(tmp_path: Path, changed: dict[str, int]) -> None:
    cached(tmp_path, "toy", {"version": 1, "n": 3}, made)
    with pytest.raises(AssertionError, match="made again"):
        cached(tmp_path, "toy", changed, never)


def test_a_truncated_file_is_made_anew(tmp_path: Path) -> None:
    cached(tmp_path, "toy", {}, made)
    (file,) = (tmp_path / "toy").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-5])
    assert torch.equal(cached(tmp_path, "toy", {}, made)["x"], torch.arange(3))
    cached(tmp_path, "toy", {}, never)


def test_a_generator_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        cached(tmp_path, "toy", {}, never)
    assert [path.suffix for path in (tmp_path / "toy").iterdir()] in ([], [".lock"])


def test_items_are_slices_and_splits_are_ranges() -> None:
    dataset = SyntheticDataset(
        {"x": torch.arange(6), "y": torch.arange(3)},
        {"x": torch.tensor([0, 1, 3, 6]), "y": torch.arange(4)},
        {"train": 2, "test": 1},
    )
    assert [item.x.tolist() for item in dataset] == [[0], [1, 2], [3, 4, 5]]
    parts = dataset.get_idx_split()
    assert {key: part.tolist() for key, part in parts.items()} == {"train": [0, 1], "test": [2]}


def test_counts_and_seeds_are_whole_numbers() -> None:
    check_counts(a=1)
    check_seed(0)
    for count in (0, -1, 1.5, True, "3"):
        with pytest.raises(ValueError, match="num must be a whole number of 1 or more"):
            check_counts(num=count)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="seed must be a whole number of 0 or more, got None"):
        check_seed(None)  # pyright: ignore[reportArgumentType]
