import math

import pytest
import torch

from graphlab.train.evaluation.expressivity import network
from graphlab.train.evaluation.expressivity.rpc import PairResult, compare_pair, rpc_network
from tests.train.evaluation.expressivity.toys import (
    HEXAGON,
    PATH,
    STAR,
    TRIANGLES,
    ClosedWalks,
    Constant,
    LearnedWalks,
    PlaceInBatch,
    random_graphs,
)


def test_a_perfect_separator_separates_reliably() -> None:
    found = compare_pair(ClosedWalks, HEXAGON, TRIANGLES)
    assert found == PairResult(math.inf, 0.0, 0) and found.is_separated and found.is_reliable
    assert not compare_pair(ClosedWalks, HEXAGON, HEXAGON).is_separated


def test_a_separator_that_learns_separates_reliably() -> None:
    found = compare_pair(LearnedWalks, HEXAGON, TRIANGLES)
    assert found.is_separated and found.is_reliable and 1 <= found.epochs <= 20


def test_a_constant_network_separates_nothing_reliably() -> None:
    found = compare_pair(Constant, PATH, STAR)
    assert not found.is_separated and found.is_reliable and found.epochs == 20


@pytest.mark.parametrize(("pair", "expected"), [((HEXAGON, TRIANGLES), False), ((PATH, STAR), True)])
def test_gin_separates_what_1_wl_separates(pair: tuple, expected: bool) -> None:
    found = compare_pair(rpc_network(network("gin"), 1), *pair)
    assert found.is_separated is expected and found.is_reliable


def test_what_tells_a_graph_from_itself_is_not_reliable() -> None:
    found = compare_pair(PlaceInBatch, HEXAGON, TRIANGLES)
    assert not found.is_reliable and found.t_squared == math.inf


@pytest.mark.parametrize(
    ("statistic", "reliability", "expected"),
    [(72.35, 1.0, True), (72.34, 1.0, False), (1.0, 100.0, False), (80.0, 80.0, False), (80.0, 80.0 + 1e-5, True)],
)
def test_the_verdict_is_by_the_threshold(statistic: float, reliability: float, expected: bool) -> None:
    assert PairResult(statistic, reliability, 1).is_separated is expected


def test_the_seed_fixes_the_result_and_the_stream_is_left_alone() -> None:
    state = torch.get_rng_state()
    first, second = random_graphs(9)[7:]
    results = [compare_pair(rpc_network(network("gin"), 1), first, second, seed) for seed in (3, 3, 4)]
    assert results[0] == results[1] != results[2]
    assert torch.equal(torch.get_rng_state(), state)
