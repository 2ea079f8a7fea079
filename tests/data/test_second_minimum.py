from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.data import SecondMinimum
from graphlab.data.second_minimum import second_minimum, to_bits

multisets = st.lists(st.lists(st.integers(0, 255), min_size=2, max_size=40), max_size=20)


def small(root: Path, **options: Any) -> SecondMinimum:
    return SecondMinimum(root, **{"num_train": 50, "num_valid": 7, "num_test": 5, **options})


@given(multisets)
def test_it_is_the_second_of_the_sorted_elements(sets: list[list[int]]) -> None:
    values = torch.tensor([value for one in sets for value in one], dtype=torch.long)
    ptr = torch.tensor([0, *(len(one) for one in sets)]).cumsum(0)
    assert second_minimum(values, ptr).tolist() == [sorted(one)[1] for one in sets]


def test_a_set_of_one_has_no_second_minimum() -> None:
    with pytest.raises(ValueError, match="2 elements or more, got one of 1"):
        second_minimum(torch.tensor([3, 4, 5]), torch.tensor([0, 2, 3]))


@given(st.lists(st.integers(0, 2**12 - 1)))
def test_bits_read_back_as_binary(values: list[int]) -> None:
    bits = to_bits(torch.tensor(values, dtype=torch.long), 12).int().tolist()
    assert ["".join(map(str, row)) for row in bits] == [f"{value:012b}" for value in values]


def test_values_that_do_not_fit_the_bits_are_refused() -> None:
    for value in (-1, 16):
        with pytest.raises(ValueError, match=rf"lie in \[0, 2 \*\* 4\), got {value} to {value}"):
            to_bits(torch.tensor([value]), 4)


def test_the_default_is_the_paper_s(shared_root: Path) -> None:
    data = SecondMinimum(shared_root)
    (train,), (valid,), test = (data.multisets(split) for split in ("train", "valid", "test"))
    assert len(train.y) == 65_536
    sizes = train.ptr.diff()
    assert sizes.unique().tolist() == list(range(2, 17))
    # Uniform sizes and values: the means lie within five standard errors of theirs.
    assert abs(sizes.float().mean() - 9) < 5 * (280 / 15 / 65_536) ** 0.5
    assert abs(train.values.float().mean() - 127.5) < 5 * 73.9 / len(train.values) ** 0.5
    assert (train.values.min(), train.values.max()) == (0, 255)
    assert valid.ptr.diff().tolist() == [32] * 1_024
    assert [block.ptr.diff().unique().item() for block in test] == [8, 16, 32, 64, 100, 200]
    assert all(len(block.y) == 1_024 for block in test)
    for block in (train, valid, *test):
        assert block.ptr[0] == 0
        assert block.ptr[-1] == len(block.values)
        assert torch.equal(block.y, second_minimum(block.values, block.ptr))


def test_items_are_the_multisets(tmp_path: Path) -> None:
    data: Any = small(tmp_path, test_sizes=(4, 6))
    blocks = [block for split in ("train", "valid", "test") for block in data.multisets(split)]
    assert len(data) == sum(len(block.y) for block in blocks) == 50 + 7 + 10
    expected = [
        (block.values[block.ptr[i] : block.ptr[i + 1]].tolist(), [int(block.y[i])])
        for block in blocks
        for i in range(len(block.y))
    ]
    assert [(item.x.tolist(), item.y.tolist()) for item in data] == expected


def test_the_seed_decides_everything(tmp_path: Path) -> None:
    first, again, other = (
        small(tmp_path / folder, seed=seed).multisets("train")[0] for folder, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.ptr, again.ptr)
    assert first.values[:20].tolist() != other.values[:20].tolist()


def test_a_split_depends_on_its_own_arguments_alone(tmp_path: Path) -> None:
    one = small(tmp_path, test_sizes=(8, 32))
    two = small(tmp_path, test_sizes=(32,), num_train=9)
    assert torch.equal(one.multisets("test")[1].values, two.multisets("test")[0].values)
    assert torch.equal(one.multisets("valid")[0].values, two.multisets("valid")[0].values)


def test_bits_bound_the_values(tmp_path: Path) -> None:
    data = small(tmp_path, bits=3)
    assert data.bits == 3
    assert data.multisets("train")[0].values.unique().tolist() == list(range(8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 0}, "bits must be a whole number of 1 or more, got 0"),
        ({"bits": 33}, "bits must be at most 32, got 33"),
        ({"num_train": 2.0}, "num_train must be a whole number of 1 or more, got 2.0"),
        ({"test_sizes": (8, 1)}, r"test_sizes must be whole numbers of 2 or more, got \(8, 1\)"),
        ({"test_sizes": ()}, "test_sizes"),
        ({"seed": -1}, "seed must be a whole number of 0 or more, got -1"),
    ],
)
def test_bad_arguments_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_unknown_splits_are_refused(tmp_path: Path) -> None:
    split: Any = "val"
    with pytest.raises(ValueError, match="split must be one of train, valid, test, got 'val'"):
        small(tmp_path).multisets(split)
