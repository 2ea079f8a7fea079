"""Sizes share weights as the paper maps them."""

import pytest
import torch

from graphlab.subgraph.size_classes import check_size_classes, class_of


def test_proteins_mapping_of_the_paper():
    classes = (*range(2, 23), 40)
    mapped = {m: classes[class_of(torch.tensor([m]), classes)] for m in (1, 2, 22, 23, 39, 40, 57)}
    assert mapped == {1: 2, 2: 2, 22: 22, 23: 22, 39: 22, 40: 40, 57: 40}


@pytest.mark.parametrize("classes", [(), (0, 2), (3, 2), (2, 2), (2.0, 3)])
def test_errors(classes):
    with pytest.raises(ValueError, match="'size_classes' must be whole numbers from 1 that increase"):
        check_size_classes(classes)
