import numpy as np
import pytest
import torch
from torch_geometric.nn.conv.gcn_conv import gcn_norm as pyg_gcn_norm
from torch_geometric.utils import to_dense_adj, to_undirected

from graphlab.directed import dir_norm, gcn_norm
from tests.directed.digraphs import dense, digraphs, power


@pytest.mark.parametrize("exponent", [0.5, 0.25])
def test_dir_norm_is_the_dense_formula_and_its_transposed_that_of_the_turned_graph(exponent):
    for edge_index, n in digraphs(200):
        a = dense(edge_index, n)
        expected = power(a.sum(1), -exponent) @ a @ power(a.sum(0), -exponent)
        operator = dir_norm(edge_index, num_nodes=n, exponent=exponent)
        np.testing.assert_allclose(operator.to_dense(), expected, atol=1e-12)
        turned = dir_norm(edge_index.flip(0), num_nodes=n, exponent=exponent)
        np.testing.assert_allclose(turned.to_dense(), operator.T.to_dense(), atol=1e-12)


def test_weights_scale_the_edges_and_the_degrees():
    for edge_index, n in digraphs(200):
        weight = np.random.default_rng(n).random(edge_index.shape[1])
        a = dense(edge_index, n, weight)
        expected = power(a.sum(1), -0.5) @ a @ power(a.sum(0), -0.5)
        operator = dir_norm(edge_index, torch.from_numpy(weight), num_nodes=n)
        np.testing.assert_allclose(operator.to_dense(), expected, atol=1e-12)


def test_gcn_norm_is_the_dense_formula():
    for edge_index, n in digraphs(200):
        both = torch.cat([edge_index, edge_index.flip(0)], 1)
        a = dense(both, n)
        a += np.diag(np.diag(a) == 0)
        expected = power(a.sum(1), -0.5) @ a @ power(a.sum(0), -0.5)
        np.testing.assert_allclose(gcn_norm(both, num_nodes=n).to_dense(), expected, atol=1e-12)


def test_gcn_norm_is_pygs():
    edge_index = to_undirected(torch.tensor([[0, 1, 2, 3, 3], [1, 2, 0, 3, 0]]), num_nodes=5)
    index, weight = pyg_gcn_norm(edge_index, num_nodes=5, dtype=torch.float64)
    expected = to_dense_adj(index, edge_attr=weight, max_num_nodes=5)[0]
    torch.testing.assert_close(gcn_norm(edge_index, num_nodes=5).to_dense(), expected)


def test_gradients_reach_the_weights_through_the_degrees():
    edge_index = torch.tensor([[0, 0, 2, 1], [1, 2, 2, 0]])
    weight = torch.rand(4, dtype=torch.float64, requires_grad=True)
    for norm in (dir_norm, gcn_norm):
        assert torch.autograd.gradcheck(lambda w, norm=norm: norm(edge_index, w, num_nodes=4).to_dense(), weight)


def test_equal_edges_are_normalized_once_and_changed_ones_anew():
    edge_index = torch.tensor([[0, 1], [1, 2]])
    first = dir_norm(edge_index, num_nodes=3)
    assert dir_norm(edge_index.clone(), num_nodes=3) is first
    assert dir_norm(edge_index, num_nodes=3, exponent=0.25) is not first
    edge_index[1, 0] = 2
    assert dir_norm(edge_index, num_nodes=3).to_dense()[0].tolist() == pytest.approx([0, 0, 2**-0.5])


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_a_degree_without_a_root_is_refused(bad):
    weight = torch.tensor([bad, 0.5])
    with pytest.raises(ValueError, match="'edge_weight' must give every node a finite degree of at least 0"):
        dir_norm(torch.tensor([[0, 0], [1, 2]]), weight, num_nodes=3)


def test_a_weight_too_few_is_refused():
    with pytest.raises(ValueError, match="'edge_weight' must hold one floating-point number for each of the 2 edges"):
        dir_norm(torch.tensor([[0, 0], [1, 2]]), torch.ones(1), num_nodes=3)


def test_degrees_are_summed_in_more_than_half_precision():
    spokes = 70_000  # more than the largest number in half precision
    star = torch.stack([torch.zeros(spokes, dtype=torch.int64), torch.arange(1, spokes + 1)])
    for norm, expected in ((dir_norm, spokes**-0.5), (gcn_norm, (2 * (spokes + 1)) ** -0.5)):
        weight = norm(star, torch.ones(spokes, dtype=torch.float16), num_nodes=spokes + 1).weight
        torch.testing.assert_close(weight[0].item(), expected, rtol=1e-4, atol=0)


def test_weights_are_counted_before_loops_are_added():
    with pytest.raises(ValueError, match=r"for each of the 3 edges, got torch.float32 of shape \(2,\)"):
        gcn_norm(torch.tensor([[0, 1, 2], [1, 2, 3]]), torch.ones(2), num_nodes=5)
