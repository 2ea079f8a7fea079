from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from graphlab.ops import counter_rng, pick, pick_positions, use_backend
from graphlab.ops.neighbor_sample import neighbor_sample
from tests.ops.sampling import BACKENDS, star, uniformity

DEGREES = (11, 1_000, 40_000, 65_536, 200_000)
K = 10


def picked_of(degree, k, trials, **options):
    """How often each of a node's stored edges is picked, over many keys."""
    rowptr, key = torch.tensor([0, degree]), torch.arange(trials) * 7919 + 1
    position, ptr = pick_positions(rowptr, torch.zeros(trials, dtype=torch.int64), key, 0, k, **options)
    return position, ptr


def trials_of(degree):
    return max(20_000, 10 * degree // K)


@pytest.mark.parametrize("degree", DEGREES)
def test_every_neighbour_is_picked_with_probability_k_of_d(degree):
    trials = trials_of(degree)
    position, ptr = picked_of(degree, K, trials)
    assert ptr.tolist() == list(range(0, K * trials + 1, K))
    assert (position.view(trials, K).diff(dim=1) > 0).all()  # ascending, so none twice
    counts = torch.bincount(position, minlength=degree)
    assert uniformity(counts, K * trials / degree, K / degree) > 1e-3


def test_sixteen_random_bits_would_not_be_fair(monkeypatch):
    """The flaw of taking 16 random bits modulo the degree is what the test above finds."""

    def below(streams, counter, bound):
        counter += 1
        return ((counter_rng.draw(streams, counter - 1) & np.uint64(0xFFFF)) % bound.astype(np.uint64)).astype(np.int64)

    monkeypatch.setattr(counter_rng, "below", below)
    degree, trials = 40_000, trials_of(40_000)
    with use_backend("ref"):
        position, _ = picked_of(degree, K, trials)
    counts = torch.bincount(position, minlength=degree)
    assert uniformity(counts, K * trials / degree, K / degree) < 1e-100
    assert counts[:25_000].double().mean() / counts[26_000:].double().mean() == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(("degree", "k"), [(5, 2), (70, 2), (5, 4)])
def test_every_subset_is_equally_likely(degree, k):
    trials = 30_000
    position, _ = picked_of(degree, k, trials)
    codes = (position.view(trials, k) * torch.tensor([degree**i for i in range(k)])).sum(1)
    _, counts = codes.unique(return_counts=True)
    assert len(counts) == np.prod(np.arange(degree - k + 1, degree + 1)) / np.prod(np.arange(1, k + 1))
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("k", [33, 40, 63])
def test_many_picks_are_fair_too(k):
    degree, trials = 300, 4_000
    position, _ = picked_of(degree, k, trials)
    assert (position.view(trials, k).diff(dim=1) > 0).all()
    assert uniformity(torch.bincount(position, minlength=degree), k * trials / degree, k / degree) > 1e-3


@pytest.mark.parametrize("degree", [3, 11, 40_000])
def test_with_replacement_all_draws_are_fair(degree):
    trials = trials_of(degree)
    position, ptr = picked_of(degree, K, trials, replace=True)
    assert ptr[-1] == K * trials and (position.view(trials, K).diff(dim=1) >= 0).all()
    assert stats.chisquare(torch.bincount(position, minlength=degree)).pvalue > 1e-3


def sampled_of(weight, k, trials, **options):
    """How often each set of a hub's edges is picked, over many keys."""
    graph = star(len(weight))
    sets = {}
    for key in range(trials):
        edge = neighbor_sample(graph.rowptr, graph.col, torch.tensor([0]), [k], edge_weight=weight, key=key, **options)[
            3
        ]
        sets[tuple(edge.tolist())] = sets.get(tuple(edge.tolist()), 0) + 1
    return sets


def test_weighted_picks_have_the_probabilities_of_drawing_one_after_the_other():
    weight, trials = torch.tensor([1.0, 2.0, 0.0, 3.0, 6.0]), 8_000
    exact = {}
    for first, second in permutations((0, 1, 3, 4), 2):
        w, total = weight.double(), float(weight.sum())
        p = float(w[first]) / total * float(w[second]) / (total - float(w[first]))
        exact[tuple(sorted((first, second)))] = exact.get(tuple(sorted((first, second))), 0) + p
    got = sampled_of(weight, 2, trials)
    assert got.keys() == exact.keys()
    assert stats.chisquare([got[s] for s in exact], [trials * p for p in exact.values()]).pvalue > 1e-3


def test_weighted_draws_with_replacement_have_the_probabilities_of_the_weights():
    weight, trials = torch.tensor([1.0, 2.0, 0.0, 3.0, 6.0]), 5_000
    counts = np.zeros(5)
    for edges, times in sampled_of(weight, 3, trials, replace=True).items():
        np.add.at(counts, list(edges), times)
    assert counts[2] == 0
    chosen = [0, 1, 3, 4]
    assert stats.chisquare(counts[chosen], (weight / weight.sum()).double().numpy()[chosen] * 3 * trials).pvalue > 1e-3


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("k", [-1, 2, 3, 9])
def test_weight_zero_is_never_picked(backend, k):
    weight = torch.tensor([0.0, 1.0, 0.0, 5e-324, 0.0], dtype=torch.float64)
    with use_backend(backend):
        assert sampled_of(weight, k, 5).keys() == {(1, 3)}
        replaced = sampled_of(weight, k, 5, replace=True)
    assert {e for edges in replaced for e in edges} <= {1, 3}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(-1, 40))
def test_largest_offsets_are_a_stable_sort(values, k):
    ptr = pick.pointers([len(values), 0, len(values)])
    offset, picked = pick.largest_offsets(np.array(values * 2, np.float64), ptr, k)
    number = len(values) if k < 0 else min(k, len(values))
    best = sorted(sorted(range(len(values)), key=lambda i: -values[i])[:number])
    assert picked.tolist() == [0, number, number, 2 * number] and offset.tolist() == best * 2
