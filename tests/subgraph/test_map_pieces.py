import itertools

import pytest
import torch

from graphlab.subgraph.map_kind import MapKind
from graphlab.subgraph.map_pieces import place_pieces, take_pieces

KINDS = [MapKind(*kind) for kind in itertools.product(range(3), range(3), (False, True))]


@pytest.mark.parametrize("rooted", [False, True])
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("m", [0, 1, 4])
def test_placing_is_the_adjoint_of_taking(order, rooted, m):
    torch.manual_seed(0)
    x = torch.randn(2, *[m] * order, 3, dtype=torch.float64)
    taken = take_pieces(x, order, rooted, m)
    given = [torch.randn_like(piece) for piece in taken]
    placed = torch.empty_like(x)
    place_pieces(placed, *(piece.clone() for piece in given), order)
    inner = sum((piece * other).sum() for piece, other in zip(taken, given, strict=True))
    torch.testing.assert_close((x * placed).sum(), inner, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_as_many_as_the_kind_says(kind):
    vectors, scalars = take_pieces(torch.zeros(2, *[3] * kind.order_in, 1), kind.order_in, kind.rooted, 3)
    assert (vectors.size(2), scalars.size(1)) == (kind.vectors[0], kind.scalars[0])
    assert len(kind.powers) == sum(kind.sections)


@pytest.mark.parametrize("kind", KINDS)
def test_turning_twice_gives_the_weights_back(kind):
    weight = torch.randn(sum(kind.sections), 2, 3)
    assert kind.back.turned(kind.turned(weight)).equal(weight) and kind.back.back == kind
