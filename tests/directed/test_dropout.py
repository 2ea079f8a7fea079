import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.directed import Dropout


@given(p=st.floats(0, 1), size=st.integers(0, 9), dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]))
def test_what_stays_is_scaled_and_evaluation_drops_nothing(p, size, dtype):
    x = torch.ones(size, 3, dtype=dtype)
    out = Dropout(p)(x)
    assert out.shape == x.shape and out.dtype == dtype and out.unique().numel() <= 2
    kept = out[out != 0].double()
    if p < 1 - 1e-4:
        torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p)), rtol=0.2, atol=0)
    assert Dropout(p).eval()(x) is x


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_every_place_is_dropped_equally_often_and_the_mean_stays(p):
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(50_000, 4))
    deviation = (p * (1 - p) / 50_000) ** 0.5
    assert bool(((out == 0).double().mean(0) - p).abs().max() < 5 * deviation)
    assert abs(out.double().mean().item() - 1) < 5 * deviation / (1 - p)


def test_the_gradient_passes_where_the_number_stayed():
    x = torch.ones(100, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    assert x.grad is not None and x.grad.equal(out.detach())


def test_one_seed_gives_one_mask():
    masks = []
    for _ in range(2):
        torch.manual_seed(1)
        masks.append(Dropout(0.3)(torch.ones(1001)))
    assert masks[0].equal(masks[1])


@pytest.mark.parametrize("layout", [torch.sparse_csr, torch.sparse_coo])
def test_of_sparse_features_stored_values_are_dropped(layout):
    torch.manual_seed(0)
    x = torch.rand(40, 30).relu() * (torch.rand(40, 30) < 0.2)
    out = Dropout(0.5)(x.to_sparse(layout=layout)).to_dense()
    assert 0.3 < (out != 0).sum() / (x != 0).sum() < 0.7
    torch.testing.assert_close(out[out != 0], 2 * x[out != 0])
