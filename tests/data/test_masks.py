import pytest
import torch

from graphlab.data.masks import stratified_masks


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
