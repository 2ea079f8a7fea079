import pytest
import torch

from graphlab.directed import FeatureLinear


def sparse_features() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(7, 5, dtype=torch.float64) * (torch.rand(7, 5) < 0.4)


@pytest.mark.parametrize("layout", [torch.sparse_csr, torch.sparse_coo])
@pytest.mark.parametrize("bias", [True, False])
def test_sparse_features_give_what_dense_ones_give(layout, bias):
    x = sparse_features()
    layer = FeatureLinear(5, 3, bias=bias).double()
    grad = torch.rand(7, 3, dtype=torch.float64)
    dense = torch.autograd.grad((layer(x) * grad).sum(), list(layer.parameters()))
    out = layer(x.to_sparse(layout=layout))
    sparse = torch.autograd.grad((out * grad).sum(), list(layer.parameters()))
    torch.testing.assert_close(out, layer(x))
    torch.testing.assert_close(sparse, dense)


def test_another_number_of_columns_is_refused():
    with pytest.raises(ValueError, match=r"'x' must have 4 columns, got shape \(7, 5\)"):
        FeatureLinear(4, 2)(sparse_features().to_sparse_csr())
