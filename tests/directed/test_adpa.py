import itertools

import pytest
import torch
from torch.nn import functional as F

from graphlab.directed import ADPA, HopFeatures
from graphlab.directed.hop_attention import HOP_ATTENTIONS
from graphlab.directed.pattern_attention import PATTERN_ATTENTIONS

N, CHANNELS, HIDDEN, CLASSES, HOPS = 9, 5, 4, 3, 3
VARIANTS = [
    *itertools.product(HOP_ATTENTIONS, ["original"]),
    *itertools.product(["original"], PATTERN_ATTENTIONS),
]


def graph() -> tuple[torch.Tensor, torch.Tensor]:
    """Features, some of them zero, and edges with a loop, a double edge, a sink, a source and a lonely node."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(N, CHANNELS, dtype=torch.float64, generator=generator)
    edge_index = torch.randint(1, N - 1, (2, 20), generator=generator)
    extra = torch.tensor([[3, 1, 1, 0, 4], [3, 2, 2, 4, N - 2]])
    return x * (torch.rand(x.shape, generator=generator) < 0.5), torch.cat([edge_index, extra], 1)


def network(**options) -> ADPA:
    torch.manual_seed(1)
    options = {"num_hops": HOPS, "normalization": 0.3, **options}
    return ADPA(CHANNELS, HIDDEN, CLASSES, **options).double().eval()


def dense_patterns(edge_index: torch.Tensor, r: float) -> list[torch.Tensor]:
    a = torch.zeros(N, N, dtype=torch.float64)
    for i, j in edge_index.t().tolist():
        a[i, j] = float(i != j)
    eye = torch.eye(N, dtype=torch.float64)
    patterns = []
    for matrix in (a + eye, a.T + eye, a @ a, a @ a.T, a.T @ a, a.T @ a.T):
        degree = matrix.sum(1)
        left = torch.where(degree > 0, degree ** (r - 1), 0.0)
        right = torch.where(degree > 0, degree**-r, float(r == 0))  # 0^0 = 1
        patterns.append(left[:, None] * matrix * right)
    return patterns


def hops_by_formula(x, edge_index, r, decay):
    """X_p^(k) of each pattern, k = 0 to K."""
    log_weights = [1.000001, 0.3068538194400547, -0.09861128866810971]  # ln(1/k) + 1 + 1e-6
    for pattern in dense_patterns(edge_index, r):
        hops = [x]
        for k in range(HOPS):
            hops.append(pattern @ ((log_weights[k] if decay == "log" else 1.0) * hops[-1]))
        yield hops


def hop_scores_by_formula(attention, kind, p, hops):
    """Node by node and hop by hop, from the concatenation that the paper writes."""
    scores = torch.empty(N, HOPS + 1, dtype=torch.float64)
    for i, k in itertools.product(range(N), range(HOPS + 1)):
        if kind == "simple":
            scores[i, k] = attention.score[p, k]
            continue
        own, references = attention.weight[p][:1], attention.weight[p][1:]
        beside = {"gate": [], "ori_ref": hops[:1], "original": hops}[kind]
        row = torch.cat([*(hop[i] for hop in beside), hops[k][i]])
        scores[i, k] = torch.cat([references.flatten(), own.flatten()]) @ row + attention.bias[p]
    return scores


def logits_by_formula(model, hop_kind, pattern_kind, x, edge_index, r=0.3, decay="none"):
    hidden = [x @ model.weight[:, 0] + model.bias[0]]
    for p, hops in enumerate(hops_by_formula(x, edge_index, r, decay)):
        if hop_kind == "none":
            pooled = sum(hops)
        else:
            scores = hop_scores_by_formula(model.hop_attention, hop_kind, p, hops)
            alpha = torch.softmax(torch.sigmoid(scores), 1)
            pooled = sum(alpha[:, k : k + 1] * hops[k] for k in range(HOPS + 1))
        hidden.append(pooled @ model.weight[:, 1 + p] + model.bias[1 + p])
    hidden = [F.relu(z) for z in hidden]
    for weight, bias in zip(model.hidden_weights, model.hidden_biases, strict=True):
        hidden = [F.relu(z @ weight[p] + bias[p]) for p, z in enumerate(hidden)]
    return model.head(joined_by_formula(model.pattern_attention, pattern_kind, hidden))


def joined_by_formula(attention, kind, hidden):
    if kind == "original":
        return torch.cat([beta * z for beta, z in zip(attention.scale, hidden, strict=True)], 1)
    if kind == "gate":
        scores = torch.stack([z @ attention.weight + attention.bias for z in hidden], 1)
    elif kind == "ori_ref":
        scores = torch.stack([torch.cat([hidden[0], z], 1) @ attention.weight + attention.bias for z in hidden], 1)
    else:
        scores = torch.cat(hidden, 1) @ attention.score.weight.T + attention.score.bias
    beta = torch.softmax(torch.sigmoid(scores), 1)
    return sum(beta[:, p : p + 1] * z for p, z in enumerate(hidden))


def logits_and_gradients(model, logits):
    grad = torch.rand(N, CLASSES, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    return logits, torch.autograd.grad((logits * grad).sum(), list(model.parameters()), materialize_grads=True)


@pytest.mark.parametrize(("hop_kind", "pattern_kind"), VARIANTS)
@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_logits_and_gradients_are_those_of_the_dense_formula(hop_kind, pattern_kind, layout):
    x, edge_index = graph()
    model = network(hop_attention=hop_kind, pattern_attention=pattern_kind)
    ours = logits_and_gradients(model, model(x if layout == "dense" else x.to_sparse_csr(), edge_index))
    theirs = logits_and_gradients(model, logits_by_formula(model, hop_kind, pattern_kind, x, edge_index))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("options", [{"decay": "log"}, {"normalization": 0.0}, {"num_layers": 3}])
def test_other_options_are_those_of_the_dense_formula(options):
    x, edge_index = graph()
    model = network(**options)
    expected = logits_by_formula(
        model, "original", "original", x, edge_index, options.get("normalization", 0.3), options.get("decay", "none")
    )
    torch.testing.assert_close(model(x, edge_index), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", [kind for kind in HOP_ATTENTIONS if kind != "none"])
def test_attention_of_a_node_depends_on_that_node_alone(kind):
    model = network(hop_attention=kind)
    hops = model.precompute(*graph())
    attention = model.attention(hops)
    torch.testing.assert_close(attention.sum(1), torch.ones(6, N, dtype=torch.float64), rtol=0, atol=1e-12)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(model.attention(hops[order]), attention[..., order], rtol=0, atol=1e-12)
    for i in range(N):
        others = hops.dense + torch.rand_like(hops.dense)
        others[i] = hops.dense[i]
        changed = model.attention(HopFeatures(others, recipe=hops.recipe))
        torch.testing.assert_close(changed[..., i], attention[..., i], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", PATTERN_ATTENTIONS)
def test_weights_of_patterns_depend_on_the_node_alone(kind):
    attention = PATTERN_ATTENTIONS[kind](7, HIDDEN).double()
    hidden = torch.rand(7, N, HIDDEN, dtype=torch.float64)
    weights = attention.weights(hidden)
    order = torch.randperm(N)
    torch.testing.assert_close(attention.weights(hidden[:, order]), weights[:, order], rtol=0, atol=1e-12)
    if kind != "original":
        torch.testing.assert_close(weights.sum(0), torch.ones(N, dtype=torch.float64), rtol=0, atol=1e-12)


def test_rows_alone_give_the_logits_of_the_whole_graph():
    x, edge_index = graph()
    model = network()
    rows = torch.tensor([7, 0, 7, 3])
    hops = model.precompute(x.to_sparse_csr(), edge_index)
    torch.testing.assert_close(model.classify(hops[rows]), model(x, edge_index)[rows], rtol=0, atol=1e-12)
    assert model.classify(hops[rows[:0]]).shape == (0, CLASSES)


def test_renaming_the_nodes_renames_the_logits():
    x, edge_index = graph()
    model = network()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(4))
    renamed = model(x[order], order.argsort()[edge_index])
    torch.testing.assert_close(renamed, model(x, edge_index)[order], rtol=0, atol=1e-12)


def test_graphs_without_edges_or_nodes_are_no_exception():
    model = network()
    edge_index = torch.empty(2, 0, dtype=torch.long)
    assert model(graph()[0], edge_index).isfinite().all()
    assert model(torch.empty(0, CHANNELS, dtype=torch.float64), edge_index).shape == (0, CLASSES)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_hops": 0}, "'num_hops' must be at least 1, got 0"),
        ({"decay": "linear"}, "'decay' must be one of 'none', 'log', got 'linear'"),
        ({"hop_attention": "jk"}, "'hop_attention' must be one of 'original', .*, got 'jk'"),
        ({"pattern_attention": "none"}, "'pattern_attention' must be one of 'original', .*, got 'none'"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        network(**options)


def test_what_cannot_be_propagated_or_classified_is_refused():
    x, edge_index = graph()
    with pytest.raises(ValueError, match="'edge_weight' must be None"):
        network()(x, edge_index, torch.ones(edge_index.size(1)))
    with pytest.raises(ValueError, match=r"'hops' must come from ADPA\(.*num_hops=3.*got ADPA\(.*num_hops=2"):
        network().classify(network(num_hops=2).precompute(x, edge_index))
