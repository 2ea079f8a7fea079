"""Specimen of bag_product."""

import torch

from tests.ops.cases import Case
from tests.ops.specimens import Arguments, Specimen


def _arguments(case: Case) -> Arguments:
    # As many nodes in a bag as edges into a target, but few enough that their cubes are no work.
    size = case.edges.rowptr.long().diff().clamp(max=9)
    node_ptr = torch.cat([size.new_zeros(1), size.cumsum(0)])
    pair = torch.randint(40, (int((size * size).sum()),), generator=case.generator).to(case.index)
    weight = case.values(size.numel()) if case.placed else None
    turned = ["a" in case.variant, "b" in case.variant]
    return [node_ptr, pair, weight, case.values(40, case.d), case.values(40, case.d), *turned]


def _formula(node_ptr, pair, weight, a, b, transpose_a, transpose_b):
    size = node_ptr.diff()
    squares = pair.long().split((size * size).tolist())
    w = a.new_ones(size.numel()) if weight is None else weight
    out = a.new_zeros(a.shape)
    for v, (m, square) in enumerate(zip(size.tolist(), squares, strict=True)):
        at = square.view(m, m)
        left, right = a[at.T if transpose_a else at], b[at.T if transpose_b else at]
        product = torch.einsum("pkc,kqc->pqc", left, right)
        out = out.index_add(0, square, w[v] * product.reshape(m * m, a.size(1)))
    return out


SPECIMENS = [
    Specimen(
        "bag_product",
        _arguments,
        _formula,
        variants=("", "a", "b", "ab"),
        integers=False,
        differentiable=(3, 4),
    )
]
