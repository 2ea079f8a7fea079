import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlab.subgraph import equivariant_basis, num_equivariant_maps

ORDERS = list(itertools.product(range(3), range(3)))


def span(m, order_in, order_out, rooted):
    """Each map of the basis as one row: its matrix, flattened."""
    units = torch.eye(m**order_in, dtype=torch.float64).view(-1, *[m] * order_in, 1)
    maps = equivariant_basis(units, order_in, order_out, rooted, m)
    return maps.squeeze(-1).movedim(-1, 0).flatten(1)


def rank(m, order_in, order_out, rooted=False):
    return int(torch.linalg.matrix_rank(span(m, order_in, order_out, rooted)))


def orbits(m, order, rooted):
    """How many tuples of nodes no permutation takes to each other; a root is one more index that stays."""
    tuples = itertools.product(range(m), repeat=order)
    tuples = [(0, *t) if rooted else t for t in tuples]
    return len({tuple(t.index(i) for i in t) for t in tuples})


def permuted(x, order, perm):
    for dim in range(order):
        x = x.index_select(1 + dim, perm)
    return x


@pytest.mark.parametrize(
    ("m", "ranks"), [(1, (1, 1, 1, 1)), (2, (8, 4, 4, 2)), (3, (14, 5, 5, 2)), (4, (15, 5, 5, 2)), (5, (15, 5, 5, 2))]
)
def test_ranks(m, ranks):
    assert tuple(rank(m, *orders) for orders in ((2, 2), (2, 1), (1, 2), (1, 1))) == ranks


@pytest.mark.parametrize("m", [5, 6])
def test_ranks_with_a_root(m):
    assert [rank(m, *orders, rooted=True) for orders in ((2, 2), (2, 1), (1, 2), (1, 1))] == [52, 15, 15, 5]


@pytest.mark.parametrize("rooted", [False, True])
@pytest.mark.parametrize("orders", ORDERS)
def test_nothing_equivariant_is_missing(orders, rooted):
    for m in range(1, 6):
        assert rank(m, *orders, rooted) == orbits(m, sum(orders), rooted)
    assert span(6, *orders, rooted).size(0) == num_equivariant_maps(*orders, rooted) == rank(6, *orders, rooted)


@pytest.mark.parametrize("rooted", [False, True])
@pytest.mark.parametrize("orders", ORDERS)
@settings(max_examples=20)
@given(m=st.integers(1, 6), seed=st.integers(0, 1000))
def test_each_map_is_equivariant(orders, rooted, m, seed):
    torch.manual_seed(seed)
    order_in, order_out = orders
    x = torch.randn(2, *[m] * order_in, 3, dtype=torch.float64)
    perm = torch.cat([torch.tensor([0]), 1 + torch.randperm(m - 1)]) if rooted else torch.randperm(m)
    moved = equivariant_basis(permuted(x, order_in, perm), order_in, order_out, rooted, m)
    expected = permuted(equivariant_basis(x, order_in, order_out, rooted, m), order_out, perm)
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-12)


def test_the_maps_of_the_paper_in_order():
    x = torch.randn(1, 3, 3, 1, dtype=torch.float64)
    a, eye, ones = x[0, :, :, 0], torch.eye(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    d, r, c = a.diagonal(), a.mean(1), a.mean(0)
    vectors = [d, r, c]
    maps = [a, a.t(), *[z.diag() for z in vectors], *[z.outer(ones) for z in vectors]]
    maps += [*[ones.outer(z) for z in vectors], eye * d.mean(), eye * a.mean(), d.mean().expand(3, 3)]
    maps += [a.mean().expand(3, 3)]
    torch.testing.assert_close(equivariant_basis(x, 2, 2)[0, ..., 0], torch.stack(maps, -1))


def test_the_root_is_node_0():
    x = torch.randn(1, 3, 3, 1, dtype=torch.float64)
    a, e = x[0, :, :, 0], torch.tensor([1.0, 0, 0], dtype=torch.float64)
    vectors = torch.stack([a.diagonal(), a.mean(1), a.mean(0), a[:, 0], a[0]], -1)
    scalars = torch.stack([a.diagonal().mean(), a.mean(), a[:, 0].mean(), a[0].mean(), a[0, 0]])
    to_nodes = torch.cat([vectors, scalars.expand(3, 5), e.outer(scalars)], 1)
    torch.testing.assert_close(equivariant_basis(x, 2, 1, rooted=True)[0, ..., 0], to_nodes)
    whole = equivariant_basis(x, 2, 2, rooted=True)[0, ..., 0]
    torch.testing.assert_close(whole[..., 17:22], vectors[:, None] * e[:, None])
    torch.testing.assert_close(whole[..., 22:27], vectors[None] * e[:, None, None])
    torch.testing.assert_close(whole[..., 37:42], scalars.expand(3, 3, 5) * e[:, None])
    torch.testing.assert_close(whole[..., 42:47], scalars.expand(3, 3, 5) * e[:, None, None])
    torch.testing.assert_close(whole[..., 47:], scalars.expand(3, 3, 5) * e.outer(e)[..., None])


@pytest.mark.parametrize("rooted", [False, True])
@pytest.mark.parametrize("orders", ORDERS)
def test_bags_without_nodes_and_no_bags(orders, rooted):
    order_in, order_out = orders
    count = num_equivariant_maps(order_in, order_out, rooted)
    for bags, m in ((2, 0), (0, 3), (0, 0)):
        out = equivariant_basis(torch.ones(bags, *[m] * order_in, 2), order_in, order_out, rooted, m)
        assert out.shape == (bags, *[m] * order_out, count, 2)
        assert order_in == 0 or not out.any()


def test_errors():
    with pytest.raises(ValueError, match=r"'order_in' must be 0 .* got 3"):
        num_equivariant_maps(3, 2)
    with pytest.raises(ValueError, match=r"'order_out' must be 0 .* got -1"):
        equivariant_basis(torch.zeros(1, 2), 0, -1)
    with pytest.raises(ValueError, match=r"'x' must have shape \(num_bags, m, m, channels\) for order 2, got \(1, 2,"):
        equivariant_basis(torch.zeros(1, 2, 3, 4), 2, 2)
    with pytest.raises(ValueError, match=r"'x' must have shape \(num_bags, m, channels\) for order 1, got \(2, 3\)"):
        equivariant_basis(torch.zeros(2, 3), 1, 2)
    with pytest.raises(ValueError, match="'num_nodes' is missing: from order 0 to order 2"):
        equivariant_basis(torch.zeros(2, 3), 0, 2)
    with pytest.raises(ValueError, match="'num_nodes' must not be negative, got -1"):
        equivariant_basis(torch.zeros(2, 3), 0, 2, num_nodes=-1)
    with pytest.raises(ValueError, match="'num_nodes' is 4, but 'x' has bags of 3 nodes"):
        equivariant_basis(torch.zeros(2, 3, 1), 1, 1, num_nodes=4)
