import pytest
import torch

from graphlab.directed import adjacency
from graphlab.directed.row_norm import row_norm
from tests.directed.layer_graphs import SHAPES, dense_adjacency, digraph, inverse_power


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", SHAPES)
def test_it_is_the_dense_formula(kind, weighted):
    edge_index, n = digraph(kind)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    a = dense_adjacency(edge_index, n, weight)
    ours = adjacency(edge_index, weight, num_nodes=n)
    torch.testing.assert_close(row_norm(ours).to_dense(), inverse_power(a.sum(1), 1) @ a, rtol=0, atol=1e-10)


def test_weights_get_gradients_also_where_a_degree_is_0():
    edge_index, n = digraph("sinks and sources")
    weight = torch.rand(edge_index.size(1), dtype=torch.float64, requires_grad=True)
    x = torch.rand(n, 2, dtype=torch.float64)

    def propagate(weight):
        return row_norm(adjacency(edge_index, weight, num_nodes=n)) @ x

    assert torch.autograd.gradcheck(propagate, weight)
    zero = torch.zeros_like(weight, requires_grad=True)
    (grad,) = torch.autograd.grad(propagate(zero).sum(), zero)
    assert bool(grad.isfinite().all())


def test_degrees_are_summed_in_more_than_half_precision():
    star = torch.stack([torch.zeros(70_000, dtype=torch.int64), torch.arange(1, 70_001)])
    weight = torch.ones(70_000, dtype=torch.float16)
    mean = row_norm(adjacency(star, weight, num_nodes=70_001)) @ torch.ones(70_001, 1, dtype=torch.float64)
    torch.testing.assert_close(mean[0].item(), 1.0, rtol=1e-4, atol=0)
