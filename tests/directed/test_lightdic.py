import pytest
import torch

from graphlab.directed import LightDiC

N, F, K = 7, 4, 3
EDGES = torch.tensor([[0, 0, 2, 1, 0, 5, 3, 4, 4], [1, 2, 2, 0, 1, 3, 5, 1, 0]])  # a loop, a double edge, 6 alone


def network(**options) -> LightDiC:
    torch.manual_seed(0)
    return LightDiC(F, 5, 3, **{"num_hops": K, **options}).double()


def features() -> torch.Tensor:
    return torch.rand(N, F, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def dense_operator(q: float) -> torch.Tensor:
    a = torch.zeros(N, N, dtype=torch.float64)
    for i, j in EDGES.t().tolist():
        a[i, j] = float(i != j)
    size = (a + a.T) / 2 + torch.eye(N, dtype=torch.float64)
    root = size.sum(1).rsqrt().diag()
    return (root @ size @ root) * torch.exp(2j * torch.pi * q * (a - a.T))


@pytest.mark.parametrize("aggregation", ["last", "mean", "sum", "concat"])
@pytest.mark.parametrize("q", [0.0, 0.035, 0.25])
def test_logits_are_those_of_the_complex_formula(aggregation, q):
    x, model, operator = features(), network(q=q, aggregation=aggregation), dense_operator(q)
    hops = [torch.linalg.matrix_power(operator, k) @ x.to(torch.complex128) for k in range(K + 1)]
    joined = {"last": hops[-1], "sum": sum(hops), "mean": sum(hops) / (K + 1), "concat": torch.cat(hops, 1)}[
        aggregation
    ]
    expected = model.head(torch.cat([model.real(joined.real), model.imag(joined.imag)], 1))
    for given in (x, x.to_sparse_csr()):
        torch.testing.assert_close(model(given, EDGES), expected, rtol=0, atol=1e-10)


def test_without_phase_it_is_sgc_on_the_undirected_graph():
    x, model = features(), network(q=0.0)
    sgc = torch.linalg.matrix_power(dense_operator(0.0).real, K) @ x
    hops = model.precompute(x, EDGES)
    torch.testing.assert_close(hops.dense[:, 0], sgc, rtol=0, atol=1e-12)
    assert hops.dense[:, 1].eq(0).all()
    torch.testing.assert_close(model(x, EDGES), model(x, EDGES.flip(0)), rtol=0, atol=1e-12)


def test_turning_the_edges_conjugates_the_hops():
    x, model = features(), network()
    there, back = model.precompute(x, EDGES).dense, model.precompute(x, EDGES.flip(0)).dense
    torch.testing.assert_close(there[:, 0], back[:, 0], rtol=0, atol=1e-12)
    torch.testing.assert_close(there[:, 1], -back[:, 1], rtol=0, atol=1e-12)


def test_rows_alone_and_from_disk_give_the_logits_of_the_whole_graph(tmp_path):
    x, model, rows = features(), network(aggregation="concat"), torch.tensor([6, 0, 3])
    whole = model(x, EDGES)[rows]
    torch.testing.assert_close(model.classify(model.precompute(x, EDGES)[rows]), whole, rtol=0, atol=1e-12)
    stored = model.precompute_to(tmp_path / "hops", x, EDGES)
    torch.testing.assert_close(model.classify(stored[rows]), whole, rtol=0, atol=1e-12)


def test_gradients_are_right():
    assert torch.autograd.gradcheck(lambda x: network()(x, EDGES), features().requires_grad_())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_hops": 0}, "'num_hops' must be at least 1, got 0"),
        ({"aggregation": "max"}, "'aggregation' must be one of .*, got 'max'"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        network(**options)
