import numpy as np
import pytest
import torch

from graphlab.directed import magnetic_operator
from tests.directed.digraphs import dense, digraphs, power, simple


def formula(a: np.ndarray, q: float, loops: bool) -> np.ndarray:
    a_s = (a + a.T) / 2 + (np.eye(len(a)) if loops else 0)
    scale = power(a_s.sum(1), -0.5)
    return (scale @ a_s @ scale) * np.exp(1j * 2 * np.pi * q * (a - a.T))


@pytest.mark.parametrize("loops", [False, True])
@pytest.mark.parametrize("q", [0, 0.035, 0.25])
def test_it_is_the_dense_formula_and_turning_the_edges_conjugates_it(q, loops):
    for edge_index, n in digraphs(200):
        made = magnetic_operator(edge_index, num_nodes=n, q=q, add_self_loops=loops)
        np.testing.assert_allclose(made.to_dense(), formula(simple(edge_index, n), q, loops), atol=1e-12)
        turned = magnetic_operator(edge_index.flip(0), num_nodes=n, q=q, add_self_loops=loops)
        np.testing.assert_allclose(turned.to_dense(), made.to_dense().conj().resolve_conj(), atol=1e-12)


def test_weights_give_size_and_phase():
    for edge_index, n in digraphs(50):
        weight = np.random.default_rng(n).random(edge_index.shape[1])
        a = dense(edge_index, n, weight)
        np.fill_diagonal(a, 0)
        made = magnetic_operator(edge_index, torch.from_numpy(weight), num_nodes=n, q=0.1)
        np.testing.assert_allclose(made.to_dense(), formula(a, 0.1, False), atol=1e-12)


def test_it_multiplies_complex_features():
    edge_index, n = list(digraphs(40))[38]
    made, z = magnetic_operator(edge_index, num_nodes=n, q=0.1), torch.randn(n, 3, dtype=torch.complex128)
    real, imag = made @ (z.real, z.imag)
    torch.testing.assert_close(torch.complex(real, imag), made.to_dense() @ z)


def test_it_is_made_once_for_equal_edges_and_weights():
    edge_index, weight = torch.tensor([[0, 1], [1, 2]]), torch.tensor([1.0, 2.0])
    first = magnetic_operator(edge_index, weight, num_nodes=3)
    assert magnetic_operator(edge_index.clone(), weight.clone(), num_nodes=3) is first
    weight[0] = 3
    assert magnetic_operator(edge_index, weight, num_nodes=3) is not first


def test_bad_arguments_are_refused():
    edge_index = torch.tensor([[0, 1], [1, 2]])
    with pytest.raises(ValueError, match="'q' must be a finite number, got nan"):
        magnetic_operator(edge_index, num_nodes=3, q=float("nan"))
    with pytest.raises(ValueError, match="'edge_weight' has negative or infinite numbers or NaN"):
        magnetic_operator(edge_index, torch.tensor([1.0, -1.0]), num_nodes=3)
    with pytest.raises(ValueError, match="'edge_weight' must hold one floating-point number for each of the 2 edges"):
        magnetic_operator(edge_index, torch.ones(3), num_nodes=3)
