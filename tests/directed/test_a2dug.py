import pytest
import torch
from torch.nn import functional as F

from graphlab.directed import A2DUG

N, CHANNELS, K = 7, 4, 2
EDGES = torch.tensor([[0, 0, 2, 1, 0, 5, 3, 4, 4], [1, 2, 2, 0, 1, 3, 5, 1, 0]])  # a loop, a double edge, 6 alone


def network(**options) -> A2DUG:
    torch.manual_seed(0)
    return A2DUG(CHANNELS, 5, 3, **{"num_nodes": N, "num_hops": K, **options}).double().eval()


def features() -> torch.Tensor:
    return torch.rand(N, CHANNELS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def adjacency() -> torch.Tensor:
    a = torch.zeros(N, N, dtype=torch.float64)
    for i, j in EDGES.t().tolist():
        a[i, j] = float(i != j)
    return a


def normalized(a: torch.Tensor) -> torch.Tensor:
    left, right = (torch.where(a.sum(dim) > 0, a.sum(dim).rsqrt(), 0.0) for dim in (1, 0))
    return left[:, None] * a * right


def linear(layers, x):
    for layer in layers:
        x = F.relu(x @ layer.weight.T + layer.bias) if isinstance(layer, torch.nn.Linear) else x
    return x


@pytest.mark.parametrize("num_layers", [1, 2])
def test_logits_are_those_of_the_dense_formula(num_layers):
    x, model, a = features(), network(num_layers=num_layers), adjacency()
    parts = [linear(model.of_features, x)]
    sides = {"undirected": torch.maximum(a, a.T), "out": a, "in": a.T}
    for name, side in sides.items():
        parts.append(linear(model.of_rows[name], side))
    for name, side in sides.items():
        plain, looped = normalized(side), normalized(side + torch.eye(N, dtype=torch.float64))
        hops = torch.cat([plain @ x, plain @ plain @ x, looped @ x, looped @ looped @ x], 1)
        parts.append(linear(model.of_hops[name], hops))
    expected = model.head(linear(model.joined, torch.cat(parts, 1)))
    for given in (x, x.to_sparse_csr()):
        torch.testing.assert_close(model(given, EDGES), expected, rtol=0, atol=1e-10)


def test_rows_of_the_adjacency_are_kept_sparse_and_weighted():
    weight = torch.arange(1.0, 10.0, dtype=torch.float64)
    hops = network().precompute(features(), EDGES, weight)
    a = torch.zeros(N, N, dtype=torch.float64)
    for (i, j), w in zip(EDGES.t().tolist(), weight, strict=True):
        a[i, j] += w * (i != j)
    assert hops.sparse["out"].to_dense().equal(a) and hops.sparse["in"].to_dense().equal(a.T)
    assert hops.sparse["undirected"].to_dense().equal(torch.maximum(a, a.T))


def test_rows_alone_and_from_disk_give_the_logits_of_the_whole_graph(tmp_path):
    x, model, rows = features(), network(), torch.tensor([6, 0, 3])
    whole = model(x, EDGES)[rows]
    torch.testing.assert_close(model.classify(model.precompute(x, EDGES)[rows]), whole, rtol=0, atol=1e-12)
    stored = model.precompute_to(tmp_path / "hops", x.to_sparse_csr(), EDGES)
    torch.testing.assert_close(model.classify(stored[rows]), whole, rtol=0, atol=1e-12)


def test_gradients_are_right():
    assert torch.autograd.gradcheck(lambda x: network()(x, EDGES), features().requires_grad_())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: network(num_hops=0), "'num_hops' must be at least 1, got 0"),
        (lambda: network(num_nodes=0), "'num_nodes' must be at least 1, got 0"),
        (lambda: A2DUG(CHANNELS, 0, 3, num_nodes=N), "'hidden_channels' must be at least 1, got 0"),
        (lambda: network(num_nodes=5)(features(), EDGES), "'x' must have the 5 rows that the network was built for"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
