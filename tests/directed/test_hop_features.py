import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphlab.directed import ADPA, HopFeatures
from graphlab.directed.hop_features import take_rows


def unchecked(crow: list[int], col: list[int], columns: int = 4) -> torch.Tensor:
    parts = torch.tensor(crow), torch.tensor(col), torch.ones(len(col))
    return torch.sparse_csr_tensor(*parts, (3, columns), check_invariants=False)


def hops() -> HopFeatures:
    torch.manual_seed(0)
    words = torch.rand(6, 4) * (torch.rand(6, 4) < 0.4)
    return HopFeatures(torch.rand(6, 3, 4), {"x": words.to_sparse_csr()}, "a recipe")


@given(st.lists(st.integers(0, 5)))
def test_rows_of_a_sparse_matrix_are_those_of_the_dense_one(rows):
    matrix = hops().sparse["x"]
    rows = torch.tensor(rows, dtype=torch.long)
    assert take_rows(matrix, rows).to_dense().equal(matrix.to_dense()[rows])


@pytest.mark.parametrize(
    "rows",
    [torch.tensor([4, 0, 4]), torch.tensor([True, False] * 3), slice(1, 5, 2), torch.empty(0, dtype=torch.int32)],
)
def test_rows_are_taken_from_all_blocks(rows):
    whole = hops()
    some = whole[rows]
    assert some.dense.equal(whole.dense[rows if isinstance(rows, slice) or rows.dtype == torch.bool else rows.long()])
    expected = torch.arange(6)[rows if isinstance(rows, slice) or rows.dtype == torch.bool else rows.long()]
    assert some.sparse["x"].to_dense().equal(whole.sparse["x"].to_dense()[expected])
    assert some.recipe == "a recipe" and len(some) == expected.numel()


def test_features_come_first_or_are_sparse():
    whole = hops()
    assert whole.features is whole.sparse["x"] and whole.propagated is whole.dense
    dense = HopFeatures(whole.dense)
    assert dense.features.equal(whole.dense[:, 0]) and dense.propagated.equal(whole.dense[:, 1:])


def test_rows_are_those_of_now():
    whole, rows = hops(), torch.tensor([1, 2])
    assert whole[rows].dense.equal(whole.dense[1:3])
    rows[0] = 0
    assert whole[rows].dense.equal(whole.dense[:3:2])
    whole.dense[2] = 7.0
    assert whole[rows].dense[1].eq(7).all()


def test_rows_can_be_taken_of_what_was_made_in_inference_mode():
    with torch.inference_mode():
        whole = hops()
    assert whole[torch.tensor([4, 0])].dense.equal(hops().dense[[4, 0]])
    model, x, edges = ADPA(4, 8, 3).eval(), torch.rand(6, 4), torch.tensor([[0, 1], [1, 2]])
    with torch.inference_mode():
        made, expected = model.precompute(x, edges), model(x, edges)
    torch.testing.assert_close(model.classify(made[torch.tensor([4, 0])]), expected[[4, 0]])


def test_gradients_reach_the_features():
    x = torch.rand(4, 2, 3, requires_grad=True)
    for _ in range(2):
        (grad,) = torch.autograd.grad(HopFeatures(x)[torch.tensor([1, 1])].dense.sum(), x)
        assert grad[1].eq(2).all() and grad.sum() == 12


def test_all_blocks_change_precision():
    doubled = hops().to(torch.float64)
    assert doubled.dense.dtype == doubled.sparse["x"].dtype == torch.float64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HopFeatures(torch.rand(3, 2)), r"'dense' must have shape .*got \(3, 2\)"),
        (
            lambda: HopFeatures(torch.rand(3, 2, 1), {"x": torch.rand(3, 2)}),
            "'sparse' must hold CSR matrices of 3 rows",
        ),
        (lambda: HopFeatures(torch.rand(3, 2, 1), {"x": unchecked([0, 1, 1, 1], [4])}), "a CSR matrix cannot be made"),
        (lambda: HopFeatures(torch.rand(3, 2, 1), {"x": unchecked([0, 2, 1, 2], [0, 1])}), "a CSR matrix cannot be"),
        (lambda: hops()[3], r"rows must be a tensor or a slice, got 3; make it one: torch.tensor"),
        (lambda: hops()[[0, 1]], r"rows must be a tensor or a slice, got \[0, 1\]"),
        (lambda: hops()[torch.tensor([6])], r"rows must lie in \[0, 6\), got 6 to 6"),
        (lambda: hops()[torch.tensor([0.0])], "rows must be int64 indices or a boolean mask, got torch.float32"),
        (lambda: hops()[torch.tensor([True])], "a mask of rows must have 6 entries, got 1"),
    ],
)
def test_wrong_shapes_and_rows_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
