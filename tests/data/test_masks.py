import numpy as np
import pytest
import torch

from graphlab.data.masks import class_balanced_masks, proportional_masks, stratified_masks


def test_masks_partition_and_keep_the_proportions() -> None:
    y = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    nodes = torch.arange(100)
    masks = stratified_masks(y, nodes, [20, 50])
    assert [int(mask.sum()) for mask in masks] == [20, 50, 30]
    assert torch.equal(torch.stack(masks).sum(0), torch.ones(100, dtype=torch.long))
    for mask, count in zip(masks, (20, 50, 30), strict=True):
        assert torch.equal(y[mask].bincount() * 100, torch.tensor([60, 30, 10]) * count)


def test_only_the_given_nodes_are_split() -> None:
    y = torch.arange(2).repeat(20)
    nodes = torch.arange(10, 30)
    masks = stratified_masks(y, nodes, [10])
    assert torch.equal((masks[0] | masks[1]).nonzero().view(-1), nodes)


def test_the_split_is_always_the_same() -> None:
    y = torch.arange(4).repeat(25)
    chosen = stratified_masks(y, torch.arange(100), [8])[0].nonzero().view(-1)
    assert chosen.tolist() == [8, 20, 31, 38, 49, 57, 70, 87]


def test_nothing_left_for_the_last_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="train_size=4"):
        stratified_masks(torch.zeros(4, dtype=torch.long), torch.arange(4), [4])


def test_class_balanced_masks_take_equally_many_of_each_class() -> None:
    y = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    train, valid, test = class_balanced_masks(y, 5, 20, 3)
    assert train.shape == valid.shape == test.shape == (100, 3)
    assert torch.equal(train.int() + valid.int() + test.int(), torch.ones(100, 3, dtype=torch.int))
    for split in range(3):
        assert y[train[:, split]].bincount().tolist() == [5, 5, 5]
    assert valid.sum(0).tolist() == [20] * 3
    assert len(train.unique(dim=1).t()) == 3


def test_class_balanced_masks_follow_the_documented_order() -> None:
    y = torch.arange(4).repeat(5)
    train, valid, _ = class_balanced_masks(y, 1, 3, 2)
    for split in range(2):
        seen, chosen, rest = set(), set(), []
        for node in np.random.RandomState(split).permutation(20).tolist():
            label = int(y[node])
            chosen.add(node) if label not in seen else rest.append(node)
            seen.add(label)
        assert set(train[:, split].nonzero().view(-1).tolist()) == chosen
        assert set(valid[:, split].nonzero().view(-1).tolist()) == set(rest[:3])


@pytest.mark.parametrize(("per_class", "num_valid"), [(6, 0), (5, 10), (2, 16)])
def test_class_balanced_masks_need_enough_nodes(per_class: int, num_valid: int) -> None:
    with pytest.raises(ValueError, match="must leave nodes to test on, got 20 nodes, 5 of them in the smallest"):
        class_balanced_masks(torch.arange(4).repeat(5), per_class, num_valid, 1)


def test_proportional_masks_take_their_share_of_each_class() -> None:
    sizes = [1, 2, 3, 4, 5, 10, 33]
    y = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    masks = proportional_masks(y, 4)
    assert torch.equal(torch.stack(masks).sum(0), torch.ones(len(y), 4, dtype=torch.long))
    for split in range(4):
        found = torch.stack([y[mask[:, split]].bincount(minlength=len(sizes)) for mask in masks]).T
        assert found.tolist() == [[1, 0, 0], [2, 0, 0], [2, 1, 0], [3, 1, 0], [3, 1, 1], [6, 2, 2], [20, 7, 6]]
    assert len(masks[0].unique(dim=1).t()) == 4


def test_proportional_masks_follow_the_documented_order() -> None:
    train, valid, _ = proportional_masks(torch.zeros(10, dtype=torch.long), 2)
    for split in range(2):
        order = np.random.RandomState(split).permutation(10).tolist()
        assert set(train[:, split].nonzero().view(-1).tolist()) == set(order[:6])
        assert set(valid[:, split].nonzero().view(-1).tolist()) == set(order[6:8])
