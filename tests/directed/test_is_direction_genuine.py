import doctest
import importlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphlab.directed.is_direction_genuine import is_direction_genuine
from graphlab.ops import Graph


def edges(*pairs: tuple[int, int]) -> Tensor:
    return torch.tensor(pairs, dtype=torch.long).view(-1, 2).t()


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


@given(PAIRS)
def test_it_says_what_sets_of_pairs_say(pairs: list[tuple[int, int]]) -> None:
    proper = {(i, j) for i, j in pairs if i != j}
    once = all(i < j for i, j in proper) or all(i > j for i, j in proper)
    symmetric = proper == {(j, i) for i, j in proper}
    assert is_direction_genuine(edges(*pairs)) == (not once and not symmetric)


@given(PAIRS)
def test_turning_all_edges_round_changes_nothing(pairs: list[tuple[int, int]]) -> None:
    assert is_direction_genuine(edges(*pairs)) == is_direction_genuine(edges(*pairs).flip(0))


@pytest.mark.parametrize(
    ("found", "genuine"),
    [
        (edges(), False),
        (edges((1, 1), (0, 0)), False),
        (edges((0, 1), (1, 2), (2, 2)), False),
        (edges((1, 0), (2, 1), (2, 1)), False),
        (edges((0, 1), (0, 1), (1, 0)), False),
        (edges((0, 1), (2, 1)), True),
        (edges((0, 1), (1, 0), (1, 2)), True),
        (edges((0, 3_000_000_000), (5, 2)), True),
    ],
)
def test_known_graphs(found: Tensor, genuine: bool) -> None:
    assert is_direction_genuine(found) is genuine
    assert is_direction_genuine(found.flip(1)) is genuine


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(3, 2, dtype=torch.long), r"shape \(2, num_edges\), got \(3, 2\)"),
        (torch.zeros(2, dtype=torch.long), r"got \(2,\)"),
        (torch.zeros(2, 3), "whole numbers, got torch.float32"),
        (torch.tensor([[0], [-1]]), "nodes of 0 or more, got -1"),
    ],
)
def test_what_is_no_edge_index_is_refused(bad: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        is_direction_genuine(bad)


def test_other_forms_of_edges_serve() -> None:
    edge_index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    adj_t = torch.sparse_coo_tensor(edge_index.flip(0), torch.ones(3), (5, 5))
    assert all(is_direction_genuine(form) for form in (adj_t, adj_t.to_sparse_csr(), Graph.from_edge_index(edge_index)))
    with pytest.raises(ValueError, match=r"'edge_index' must be a tensor .*, got list"):
        is_direction_genuine([[0], [1]])


def test_the_example_runs() -> None:
    module = importlib.import_module("graphlab.directed.is_direction_genuine")
    assert doctest.testmod(module).failed == 0
