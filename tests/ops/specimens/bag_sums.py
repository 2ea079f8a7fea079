"""Specimens of bag_sums and bag_spread."""

import torch

from tests.ops.cases import Case
from tests.ops.specimens import Arguments, Specimen

NUM_PAIRS = 40
WIDTHS = frozenset({"x: one more column", "x: one column less"})


def _bags(case: Case) -> Arguments:
    # As many nodes in a bag as edges into a target, but few enough that their squares are no work.
    size = case.edges.rowptr.long().diff().clamp(max=20)
    node_ptr = torch.cat([size.new_zeros(1), size.cumsum(0)])
    pair = torch.randint(NUM_PAIRS, (int((size * size).sum()),), generator=case.generator).to(case.index)
    weight = case.values(size.numel(), 3) if case.placed else None
    return [node_ptr, pair, weight, case.values(NUM_PAIRS) if case.placed else None]


def _sums(case: Case) -> Arguments:
    bags = _bags(case)
    return [*bags, case.values(NUM_PAIRS, case.d), int(bags[0][-1])]


def _spread(case: Case) -> Arguments:
    bags = _bags(case)
    return [*bags, case.values(int(bags[0][-1]), 3 * case.d), NUM_PAIRS]


def _squares(node_ptr, pair, weight):
    """Each bag's places, its pairs as a square, and its three weights."""
    for v, (begin, end) in enumerate(zip(node_ptr[:-1].tolist(), node_ptr[1:].tolist(), strict=True)):
        square, pair = pair.long().split([(end - begin) ** 2, pair.numel() - (end - begin) ** 2])
        yield slice(begin, end), square.view(end - begin, end - begin), (1, 1, 1) if weight is None else weight[v]


def _sums_formula(node_ptr, pair, weight, scale, x, num_places):
    x = x if scale is None else scale[:, None] * x
    parts = [x.new_empty(0, 3 * x.size(1))]
    for _, square, (of_diagonal, of_row, of_col) in _squares(node_ptr, pair, weight):
        entry = x[square]
        sums = of_diagonal * x[square.diagonal()], of_row * entry.sum(1), of_col * entry.sum(0)
        parts.append(torch.cat(sums, 1))
    return torch.cat(parts)


def _spread_formula(node_ptr, pair, weight, scale, y, num_pairs):
    d = y.size(1) // 3
    out = y.new_zeros(num_pairs, d)
    for places, square, (of_diagonal, of_row, of_col) in _squares(node_ptr, pair, weight):
        diagonal, row, col = y[places].split(d, 1)
        entry = of_row * row[:, None] + of_col * col[None] + of_diagonal * torch.diag_embed(diagonal.T).permute(1, 2, 0)
        out = out.index_add(0, square.reshape(-1), entry.reshape(square.numel(), d))
    return out if scale is None else scale[:, None] * out


SPECIMENS = [
    Specimen("bag_sums", _sums, _sums_formula, integers=False, differentiable=(4,), legal=WIDTHS),
    # With 3 channels there would be as many columns as bags in one of the structures.
    Specimen("bag_spread", _spread, _spread_formula, integers=False, differentiable=(4,), width=5),
]
