"""Each class of rows has its own weights."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from graphlab.subgraph.class_linear import class_linear


@pytest.mark.parametrize("sizes", [[3], [2, 0, 4], [0, 0], [1, 1, 1, 5]])
def test_is_a_matrix_product_of_each_class(sizes):
    x, weight = torch.rand(sum(sizes), 3).double(), torch.rand(len(sizes), 3, 2).double()
    ptr = torch.tensor([0, *sizes]).cumsum(0).tolist()
    kind = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    expected = torch.einsum("ni,nio->no", x, weight[kind])
    torch.testing.assert_close(class_linear(x, weight, ptr), expected)
    x.requires_grad_(), weight.requires_grad_()
    assert gradcheck(class_linear, (x, weight, ptr))
    assert gradgradcheck(class_linear, (x, weight, ptr))
