"""Arguments of the sampler: the wrong ones are named, the unusual ones taken."""

import pytest
import torch

from graphlab.ops import neighbor_sample, use_backend
from tests.ops.sampling import BACKENDS, cycle, same

backends = pytest.mark.parametrize("backend", BACKENDS)


def call(**changes):
    graph = cycle(6)
    arguments = {"rowptr": graph.rowptr, "col": graph.col, "seed": torch.tensor([2, 3]), "num_neighbors": [1, 1]}
    return neighbor_sample(**(arguments | changes))


def changed(t, at, value):
    t = t.clone()
    t[at] = value
    return t


NAN, INF = float("nan"), float("inf")
WRONG = {
    "negative seed": (dict(seed=torch.tensor([-1])), r"'seed' must lie in \[0, 6\), got -1"),
    "seed outside": (dict(seed=torch.tensor([0, 6])), r"'seed' must lie in \[0, 6\), got 0 to 6"),
    "float seed": (dict(seed=torch.tensor([1.0])), "'seed' must be int64 or int32, got float32"),
    "no tensor": (dict(seed=[1]), "'seed' must be a tensor, got list"),
    "rowptr ends early": (
        dict(rowptr=torch.arange(0, 13, 2)[:-1]),
        "'rowptr' must run from 0 to the 12 entries of 'col'",
    ),
    "rowptr begins late": (dict(rowptr=changed(cycle(6).rowptr, 0, 1)), "'rowptr' must run from 0 to the 12 entries"),
    "rowptr decreases": (
        dict(rowptr=changed(cycle(6).rowptr, 3, 3)),
        "'rowptr' must not decrease .* node 2 run from 4 to 3",
    ),
    "rowptr too far": (dict(rowptr=changed(cycle(6).rowptr, 3, 99)), "'rowptr' must not decrease nor leave"),
    "rowptr negative": (dict(rowptr=changed(cycle(6).rowptr, 2, -4)), "'rowptr' must not decrease nor leave"),
    "rowptr empty": (
        dict(rowptr=torch.tensor([], dtype=torch.int64)),
        "'rowptr' must have one entry more than there are",
    ),
    "rowptr table": (
        dict(rowptr=torch.zeros(2, 2, dtype=torch.int64)),
        r"'rowptr' must have 1 dimension, got shape \(2, 2\)",
    ),
    "col outside": (dict(col=changed(cycle(6).col, slice(4, 8), 6)), r"'col' must lie in \[0, 6\), got 6"),
    "col negative": (dict(col=changed(cycle(6).col, slice(4, 8), -1)), r"'col' must lie in \[0, 6\), got -1"),
    "col of another type": (dict(col=cycle(6).col.int()), "'col' must be int64, got int32"),
    "k too small": (dict(num_neighbors=[3, -2]), r"'num_neighbors' must hold integers from -1 \(all\) on, got -2"),
    "k a float": (dict(num_neighbors=[1.5]), "'num_neighbors' must hold integers .* got 1.5"),
    "k a number": (dict(num_neighbors=3), "'num_neighbors' must be a list"),
    "too many hops": (dict(num_neighbors=[1] * 65), "'num_neighbors' must have at most 64 hops, got 65"),
    "key too long": (dict(key=2**64), "'key' must be an integer of 64 bits"),
    "weight missing": (dict(edge_weight=torch.ones(11)), "'edge_weight' must have 12 entries, got 11"),
    "weight negative": (
        dict(edge_weight=torch.full((12,), -1.0)),
        "'edge_weight' must be finite and not negative.* has -1",
    ),
    "weight nan": (dict(edge_weight=torch.full((12,), NAN)), "'edge_weight' must be finite and not negative.* nan"),
    "weight infinite": (
        dict(edge_weight=torch.full((12,), INF)),
        "'edge_weight' must be finite and not negative.* inf",
    ),
    "weight integer": (
        dict(edge_weight=torch.ones(12, dtype=torch.int64)),
        "'edge_weight' must be float32 or float64, got int64",
    ),
    "weights add up to infinity": (
        dict(edge_weight=torch.full((12,), 1e308, dtype=torch.float64), replace=True),
        "'edge_weight' of the edges of node 2 adds up to infinity",
    ),
    "time without trees": (dict(node_time=torch.arange(6)), "'disjoint' must be True for temporal sampling"),
    "two times": (
        dict(node_time=torch.arange(6), edge_time=torch.arange(12), disjoint=True),
        "'node_time' and 'edge_time' exclude each other",
    ),
    "time of seeds alone": (
        dict(seed_time=torch.arange(2), disjoint=True),
        "'seed_time' needs 'node_time' or 'edge_time'",
    ),
    "time of seeds missing": (dict(edge_time=torch.arange(12), disjoint=True), "'seed_time' must be given"),
    "time of seeds too short": (
        dict(node_time=torch.arange(6), seed_time=torch.arange(1), disjoint=True),
        "'seed_time' must have 2 entries, got 1",
    ),
    "time too short": (dict(node_time=torch.arange(5), disjoint=True), "'node_time' must have 6 entries, got 5"),
    "edge time too short": (dict(edge_time=torch.arange(5), disjoint=True), "'edge_time' must have 12 entries, got 5"),
    "time a float": (dict(node_time=torch.zeros(6), disjoint=True), "'node_time' must be int64, got float32"),
    "unknown strategy": (
        dict(temporal_strategy="first"),
        "'temporal_strategy' must be 'uniform' or 'last', got 'first'",
    ),
    "last without time": (
        dict(temporal_strategy="last"),
        "'temporal_strategy' 'last' needs 'node_time' or 'edge_time'",
    ),
    "last with replacement": (
        dict(temporal_strategy="last", node_time=torch.arange(6), disjoint=True, replace=True),
        "'last' draws nothing, so 'replace' has no meaning",
    ),
    "labor with weights": (dict(labor=True, edge_weight=torch.ones(12)), "'labor' .* excludes 'edge_weight'"),
    "labor with replacement": (dict(labor=True, replace=True), "'labor' .* excludes 'replace'"),
    "labor with time": (dict(labor=True, node_time=torch.arange(6), disjoint=True), "'labor' .* excludes 'node_time"),
}


@backends
@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(backend, name):
    arguments, message = WRONG[name]
    with use_backend(backend), pytest.raises((ValueError, RuntimeError, TypeError), match=message):
        call(**arguments)
    call()  # and nothing is broken


@backends
def test_labor_and_weights_of_bad_neighbours_are_refused_before_they_are_read(backend):
    col = changed(cycle(6).col, slice(0, 12), 2**40)
    with use_backend(backend), pytest.raises((ValueError, RuntimeError), match="'col' must lie in"):
        call(col=col, num_neighbors=[1], labor=True)
    with use_backend(backend), pytest.raises((ValueError, RuntimeError), match="'col' must lie in"):
        call(col=col, node_time=torch.arange(6), disjoint=True)
    with use_backend(backend), pytest.raises((ValueError, RuntimeError), match="'col' must lie in"):
        call(col=col, num_neighbors=[], directed=False)


@backends
def test_strided_and_differentiable_arguments_are_taken_as_they_are(backend):
    graph = cycle(6)
    wide = {name: t.repeat_interleave(2)[::2] for name, t in (("rowptr", graph.rowptr), ("col", graph.col))}
    weight = torch.rand(24)[::2].requires_grad_()
    assert not wide["col"].is_contiguous()
    with use_backend(backend):
        plain = call(edge_weight=weight.detach().contiguous())
        assert same(call(edge_weight=weight, seed=torch.tensor([2, 3], dtype=torch.int32), **wide), plain)
