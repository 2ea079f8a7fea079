"""Specimens of gather_reduce and its derivatives."""

import torch
from torch import Tensor

from tests.ops.cases import Case
from tests.ops.specimens import Arguments, Specimen, gradients, per_row

ALL = tuple(r + w for r in ("sum", "mean", "min", "max") for w in ("", " weighted"))
SUMS = ("sum", "sum weighted", "mean", "mean weighted")
CHOICES = ("plain", "weighted")


def messages(col: Tensor, perm: Tensor | None, weight: Tensor | None, x: Tensor) -> Tensor:
    if weight is None:
        return x[col.long()]
    return x[col.long()] * (weight if perm is None else weight[perm.long()]).unsqueeze(1)


def _weight(case: Case) -> Tensor | None:
    return case.values(case.edges.count) if "weighted" in case.variant else None


def chosen(case: Case) -> Tensor:
    """Any edge of its row for each value, none where there is none: what arg may be."""
    degrees = case.edges.rowptr.diff()
    arg = [[int(torch.randint(n, (), generator=case.generator)) if n else -1 for _ in range(case.d)] for n in degrees]
    return torch.tensor(arg, dtype=torch.int32).view(len(degrees), case.d)


def _forward(case: Case) -> Arguments:
    e = case.edges
    x = case.values(e.num_sources, case.d)
    return [e.rowptr, e.col, e.perm, e.colptr, e.row, e.perm_t, _weight(case), x, case.variant.split()[0]]


def reduced(rowptr, col, perm, colptr, row, perm_t, weight, x, reduce):
    message = messages(col, perm, weight, x)
    if reduce in ("sum", "mean"):

        def total(i: int, at: slice) -> Tensor:
            return message[at].sum(0) / (max(at.stop - at.start, 1) if reduce == "mean" else 1)

        return per_row(rowptr, total, x.new_empty(0, x.size(1))), rowptr.new_empty(0, dtype=torch.int32)

    def choice(i: int, at: slice) -> Tensor:
        best = torch.full((x.size(1),), -1, dtype=torch.int32)
        for local, e in enumerate(range(at.start, at.stop)):
            held = message[at].gather(0, best.long().clamp(min=0).unsqueeze(0))[0]
            better = message[e] > held if reduce == "max" else message[e] < held
            best[better | (best < 0)] = local
        return best

    arg = per_row(rowptr, choice, torch.empty(0, x.size(1), dtype=torch.int32))
    return picked(rowptr, message, arg), arg


def picked(rowptr: Tensor, message: Tensor, arg: Tensor) -> Tensor:
    def row(i: int, at: slice) -> Tensor:
        if at.start == at.stop:
            return message.new_zeros(message.size(1))
        return torch.where(arg[i] < 0, 0.0, message[at].gather(0, arg[i].long().clamp(min=0).unsqueeze(0))[0])

    return per_row(rowptr, row, message.new_empty(0, message.size(1)))


def _backward(case: Case) -> Arguments:
    e = case.edges
    grad, x = case.values(e.num_targets, case.d), case.values(e.num_sources, case.d)
    return [e.rowptr, e.colptr, e.row, e.perm_t, _weight(case), grad, x, case.variant.startswith("mean")]


def _backward_formula(rowptr, colptr, row, perm_t, weight, grad, x, mean):
    # In the order of the transposed edges; the place of each weight is all that the user's order decides.
    source = torch.arange(x.size(0)).repeat_interleave(colptr.diff())
    degree = rowptr.diff().clamp(min=1).unsqueeze(1) if mean else 1

    def forward(x: Tensor, *weight: Tensor) -> Tensor:
        message = messages(source, perm_t, *(weight or [None]), x)
        return grad.new_zeros(grad.shape).index_add(0, row.long(), message) / degree

    found = gradients(forward, [x] if weight is None else [x, weight], grad)
    return (*found, x.new_empty(0)) if weight is None else tuple(found)


def _gather(case: Case) -> Arguments:
    e = case.edges
    return [e.rowptr, e.col, e.perm, _weight(case), case.values(e.num_sources, case.d), chosen(case)]


def _gather_formula(rowptr, col, perm, weight, x, arg):
    return picked(rowptr, messages(col, perm, weight, x), arg)


def _scatter(case: Case) -> Arguments:
    rowptr, col, perm, weight, x, arg = _gather(case)
    return [rowptr, col, perm, weight, case.values(*arg.shape), x, arg]


def _scatter_formula(rowptr, col, perm, weight, grad, x, arg):
    def forward(x: Tensor, *weight: Tensor) -> Tensor:
        return picked(rowptr, messages(col, perm, *(weight or [None]), x), arg)

    found = gradients(forward, [x] if weight is None else [x, weight], grad)
    return (*found, x.new_empty(0)) if weight is None else tuple(found)


SPECIMENS = [
    Specimen(
        "gather_reduce",
        _forward,
        reduced,
        ALL,
        # A wider row is another result, and further rows are sources that no edge names.
        legal=frozenset({"x: one more column", "x: one column less", "x: one more row"}),
    ),
    Specimen("gather_reduce_backward", _backward, _backward_formula, SUMS),
    Specimen("arg_gather", _gather, _gather_formula, CHOICES, legal=frozenset({"x: one more row"})),
    Specimen("arg_scatter", _scatter, _scatter_formula, CHOICES, legal=frozenset({"x: one more row"})),
]
