import pytest
import torch
from torch.nn import functional as F

from graphlab.directed import FSGNN

N, CHANNELS, K = 7, 4, 2
EDGES = torch.tensor([[0, 0, 2, 1, 0, 5, 3, 4, 4], [1, 2, 2, 0, 1, 3, 5, 1, 0]])  # a loop, a double edge, 6 alone


def network(**options) -> FSGNN:
    torch.manual_seed(0)
    model = FSGNN(CHANNELS, 5, 3, **{"num_hops": K, **options}).double().eval()
    torch.nn.init.normal_(model.score)
    return model


def features() -> torch.Tensor:
    return torch.rand(N, CHANNELS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def normalized(a: torch.Tensor) -> torch.Tensor:
    scale = torch.where(a.sum(1) > 0, a.sum(1).rsqrt(), 0.0)
    return scale[:, None] * a * scale


@pytest.mark.parametrize("hop_norm", [True, False])
def test_logits_are_those_of_the_dense_formula(hop_norm):
    x, model = features(), network(hop_norm=hop_norm)
    a = torch.zeros(N, N, dtype=torch.float64)
    for i, j in EDGES.t().tolist():
        a[i, j] = a[j, i] = float(i != j)
    plain, looped = normalized(a), normalized(a + torch.eye(N, dtype=torch.float64))
    hops = [x, plain @ x, plain @ plain @ x, looped @ x, looped @ looped @ x]
    hidden = [hop @ model.weight[i] + model.bias[i] for i, hop in enumerate(hops)]
    if hop_norm:
        hidden = [rows / rows.pow(2).sum(1, keepdim=True).sqrt() for rows in hidden]
    weights = model.score.exp() / model.score.exp().sum()
    expected = model.head(torch.cat([F.relu(weights[i] * rows) for i, rows in enumerate(hidden)], 1))
    for given in (x, x.to_sparse_csr()):
        torch.testing.assert_close(model(given, EDGES), expected, rtol=0, atol=1e-10)


def test_rows_alone_give_the_logits_of_the_whole_graph():
    x, model, rows = features(), network(), torch.tensor([6, 0, 3])
    hops = model.precompute(x, EDGES)
    torch.testing.assert_close(model.classify(hops[rows]), model(x, EDGES)[rows], rtol=0, atol=1e-12)


def test_gradients_are_right():
    assert torch.autograd.gradcheck(lambda x: network()(x, EDGES), features().requires_grad_())


def test_hops_begin_with_equal_weights():
    model = FSGNN(CHANNELS, 5, 3)
    assert model.score.softmax(0).unique().numel() == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network(num_hops=0), "'num_hops' must be at least 1, got 0"),
        (lambda: network(dropout=2.0), r"'dropout' must be in \[0, 1\), got 2.0"),
        (lambda: FSGNN(CHANNELS, 0, 3), "'hidden_channels' must be at least 1, got 0"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
