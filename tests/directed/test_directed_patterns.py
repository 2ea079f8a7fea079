import itertools

import numpy as np
import pytest
import torch

from graphlab.directed import DirectedPatterns, Operator, OperatorProduct
from tests.directed.digraphs import digraphs, power, simple

TRANSPOSED = {"A": "AT", "AT": "A", "AA": "ATAT", "ATAT": "AA", "AAT": "ATA", "ATA": "AAT"}


def formula(a: np.ndarray, word: tuple[str, ...], r: float) -> np.ndarray:
    if len(word) == 1:
        m = (a if word[0] == "A" else a.T) + np.eye(len(a))
    else:
        m = np.linalg.multi_dot([a if step == "A" else a.T for step in word])
    degree = m.sum(1)
    return power(degree, r - 1) @ m @ power(degree, -r)


@pytest.mark.parametrize("max_nnz", [0, 10, 10_000])
def test_every_pattern_is_the_dense_formula_formed_or_not(max_nnz):
    for (edge_index, n), r in zip(digraphs(200), itertools.cycle([0, 0.5, 0.42749, 1]), strict=False):
        patterns = DirectedPatterns(order=2, normalization=r, max_nnz=max_nnz)
        a, x = simple(edge_index, n), torch.rand(n, 3, dtype=torch.float64)
        for name, pattern in patterns(edge_index, num_nodes=n).items():
            expected = formula(a, tuple(name.replace("A", " A").split()), r)
            np.testing.assert_allclose(pattern.to_dense(), expected, atol=1e-12)
            np.testing.assert_allclose(pattern @ x, expected @ x.numpy(), atol=1e-12)
            np.testing.assert_allclose(pattern.T @ x, expected.T @ x.numpy(), atol=1e-12)


def test_words_of_order_three():
    patterns = DirectedPatterns(order=3)
    assert len(patterns.names) == 2 + 4 + 8 and patterns.names[6:9] == ("AAA", "AAAT", "AATA")
    for edge_index, n in digraphs(40):
        made = patterns(edge_index, num_nodes=n)
        for word in itertools.product(("A", "AT"), repeat=3):
            expected = formula(simple(edge_index, n), word, 0.5)
            np.testing.assert_allclose(made["".join(word)].to_dense(), expected, atol=1e-12)


def test_turning_all_edges_swaps_the_patterns():
    patterns = DirectedPatterns()
    for edge_index, n in digraphs(200):
        made, turned = (patterns(edges, num_nodes=n) for edges in (edge_index, edge_index.flip(0)))
        for name, other in TRANSPOSED.items():
            np.testing.assert_allclose(made[name].to_dense(), turned[other].to_dense(), atol=1e-12)


def test_a_product_is_formed_only_where_it_is_smaller_than_its_factors():
    star = torch.stack([torch.arange(1, 101), torch.zeros(100, dtype=torch.long)])  # all point at node 0
    made = DirectedPatterns(max_nnz=100_000)(star, num_nodes=101)
    assert isinstance(made["ATA"], Operator) and made["ATA"].graph.num_edges == 1
    assert isinstance(made["AAT"], OperatorProduct) and len(made["AAT"].factors) == 2  # 100 x 100 entries
    assert isinstance(DirectedPatterns(max_nnz=99)(star, num_nodes=101)["ATA"], OperatorProduct)


def test_gradients_reach_the_features():
    edge_index, n = next(itertools.islice(digraphs(40), 39, None))
    x = torch.rand(n, 2, dtype=torch.float64, requires_grad=True)
    for pattern in DirectedPatterns(max_nnz=0)(edge_index, num_nodes=n).values():
        assert torch.autograd.gradcheck(pattern.__matmul__, x)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("order", 0, "in 1 to 6"),
        ("order", 40, "in 1 to 6"),
        ("normalization", 1.5, r"in \[0, 1\]"),
        ("max_nnz", -1, "not be negative"),
    ],
)
def test_arguments_outside_their_range_are_refused(field, value, said):
    with pytest.raises(ValueError, match=f"'{field}' must .*{said}, got {value}"):
        DirectedPatterns(**{field: value})


def test_the_longest_words_are_told_by_their_number():
    assert len(DirectedPatterns(order=6).names) == 126
    with pytest.raises(ValueError, match="6 gives 126 patterns, and each further one twice as many"):
        DirectedPatterns(order=7)


def test_edges_outside_the_nodes_are_refused():
    with pytest.raises(ValueError, match="'edge_index' has targets from 1 to 3"):
        DirectedPatterns()(torch.tensor([[0, 0], [1, 3]]), num_nodes=3)
