import pytest
import torch

from graphlab.directed import FSGNN, Dropout, FeatureLinear, feature_linear


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


def far_out() -> dict[str, torch.Tensor]:
    """Matrices that lead out of 5 rows and 5 columns."""
    csr = {
        "crow": ([0, 10**7], [0, 1]),
        "crow back": ([0, 5, 1, 1, 1, 2], [0, 1]),
        "wraps": ([0, 1, 1, 1, 1, 1], [2**32]),
    }
    made: dict[str, torch.Tensor] = {
        name: torch.sparse_csr_tensor(
            torch.tensor(([0] * 4 + crow)[-6:]), torch.tensor(col), torch.ones(len(col)), (5, 5), check_invariants=False
        )
        for name, (crow, col) in csr.items()
    }
    made["row"] = torch.sparse_coo_tensor([[10**8], [0]], [1.0], (5, 5), check_invariants=False)
    return made


@pytest.mark.parametrize("bad", far_out())
def test_entries_outside_of_the_matrix_are_refused_by_all_that_take_it(bad):
    x, edges = far_out()[bad], torch.tensor([[0], [1]])
    layer = FeatureLinear(5, 2)
    for take in (layer, lambda x: layer(Dropout(0.5)(x)), lambda x: FSGNN(5, 2, 2).precompute(x, edges)):
        with pytest.raises(ValueError, match=r"'x' (must have 6 row|has (rows|columns) from)"):
            take(x)


def test_more_entries_than_32_bits_count_are_counted_in_64(monkeypatch):
    x, layer = sparse_features(), FeatureLinear(5, 3).double()
    monkeypatch.setattr(feature_linear, "_LARGEST_INT32", 4)
    torch.testing.assert_close(layer(x.to_sparse_csr()), layer(x))
