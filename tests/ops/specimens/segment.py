"""Specimens of reductions and softmax over groups of rows."""

import torch
from torch import Tensor

from tests.ops.cases import Case
from tests.ops.specimens import Arguments, Specimen, gradients, per_row

REDUCES = ("sum", "mean", "mul", "min", "max")
# Wider rows are another result.
COLUMNS = frozenset({"x: one more column", "x: one column less", "y: one more column", "y: one column less"})


def ordered(perm: Tensor | None, x: Tensor) -> Tensor:
    return x if perm is None else x[perm.long()]


def placed(perm: Tensor | None, x: Tensor) -> Tensor:
    return x if perm is None else torch.empty_like(x).index_copy(0, perm.long(), x)


def rows_of(ptr: Tensor, x: Tensor) -> list[Tensor]:
    return list(x.split(ptr.diff().tolist())) if ptr.numel() > 1 else []


def joined(rows: list[Tensor], x: Tensor) -> Tensor:
    return torch.cat(rows) if rows else x[:0]


def _groups(case: Case) -> Arguments:
    return [case.edges.rowptr, case.edges.perm]


def _reduce(case: Case) -> Arguments:
    return [*_groups(case), case.values(case.edges.count, case.d), case.variant]


def reduced(ptr, perm, x, reduce):
    x = ordered(perm, x)
    nothing = ptr.new_empty(0, dtype=torch.int32)
    empty = x.new_empty(0, x.size(1))
    if reduce in ("sum", "mean", "mul"):

        def total(_: int, at: slice) -> Tensor:
            own = x[at]
            return own.prod(0) if reduce == "mul" else own.sum(0) / (max(len(own), 1) if reduce == "mean" else 1)

        return per_row(ptr, total, empty), nothing

    def choice(_: int, at: slice) -> Tensor:
        best = torch.full((x.size(1),), -1, dtype=torch.int32)
        for local, row in enumerate(x[at]):
            held = x[at].gather(0, best.long().clamp(min=0).unsqueeze(0))[0]
            best[(row > held if reduce == "max" else row < held) | (best < 0)] = local
        return best

    arg = per_row(ptr, choice, torch.empty(0, x.size(1), dtype=torch.int32))
    return picked(ptr, None, x, arg), arg


def picked(ptr, perm, x, arg):
    x = ordered(perm, x)

    def row(i: int, at: slice) -> Tensor:
        if at.start == at.stop:
            return x.new_zeros(x.size(1))
        return torch.where(arg[i] < 0, 0.0, x[at].gather(0, arg[i].long().clamp(min=0).unsqueeze(0))[0])

    return per_row(ptr, row, x.new_empty(0, x.size(1)))


def _arg(case: Case) -> Tensor:
    degrees = case.edges.rowptr.diff().tolist()
    arg = [[int(torch.randint(n, (), generator=case.generator)) if n else -1 for _ in range(case.d)] for n in degrees]
    return torch.tensor(arg, dtype=torch.int32).view(len(degrees), case.d)


def _spread(case: Case) -> Arguments:
    return [*_groups(case), case.values(case.edges.num_targets, case.d), case.edges.count, case.variant == "mean"]


def _spread_formula(ptr, perm, y, length, mean):
    count = ptr.diff().long()
    y = y / count.clamp(min=1).unsqueeze(1) if mean else y
    return placed(perm, y.repeat_interleave(count, 0))


def _arg_gather(case: Case) -> Arguments:
    return [*_groups(case), case.values(case.edges.count, case.d), _arg(case)]


def _arg_scatter(case: Case) -> Arguments:
    return [*_groups(case), case.values(case.edges.num_targets, case.d), _arg(case), case.edges.count]


def _arg_scatter_formula(ptr, perm, y, arg, length):
    return gradients(lambda x: picked(ptr, perm, x, arg), [y.new_zeros(length, y.size(1))], y)[0]


def _mul_backward(case: Case) -> Arguments:
    return [*_groups(case), case.values(case.edges.num_targets, case.d), case.values(case.edges.count, case.d)]


def _mul_backward_formula(ptr, perm, grad, x):
    return gradients(lambda x: reduced(ptr, perm, x, "mul")[0], [x], grad)[0]


def _softmax(case: Case) -> Arguments:
    return [*_groups(case), case.values(case.edges.count, case.d), case.variant == "log"]


def softmax(ptr, perm, x, log):
    parts = [row.log_softmax(0) if log else row.softmax(0) for row in rows_of(ptr, ordered(perm, x))]
    return placed(perm, joined(parts, x))


def _softmax_backward(case: Case) -> Arguments:
    ptr, perm, x, log = _softmax(case)
    return [ptr, perm, softmax(ptr, perm, x.double(), log).to(x.dtype), case.values(*x.shape), log]


def _softmax_backward_formula(ptr, perm, y, grad, log):
    pairs = zip(rows_of(ptr, ordered(perm, y)), rows_of(ptr, ordered(perm, grad)), strict=True)
    return placed(perm, joined([g - y.exp() * g.sum(0) if log else y * (g - (g * y).sum(0)) for y, g in pairs], y))


def _logsumexp(case: Case) -> Arguments:
    return [*_groups(case), case.values(case.edges.count, case.d)]


def logsumexp(ptr, perm, x):
    rows = rows_of(ptr, ordered(perm, x))
    parts = [row.logsumexp(0) if len(row) else row.new_full((x.size(1),), -torch.inf) for row in rows]
    return torch.stack(parts) if parts else x.new_empty(0, x.size(1))


def _logsumexp_backward(case: Case) -> Arguments:
    ptr, perm, x = _logsumexp(case)
    return [ptr, perm, x, logsumexp(ptr, perm, x.double()).to(x.dtype), case.values(case.edges.num_targets, case.d)]


def _logsumexp_backward_formula(ptr, perm, x, lse, grad):
    count = ptr.diff().long()
    share = (ordered(perm, x) - lse.repeat_interleave(count, 0)).exp()
    return placed(perm, share * grad.repeat_interleave(count, 0))


SPECIMENS = [
    Specimen("segment_reduce", _reduce, reduced, REDUCES, integers=False, legal=COLUMNS),
    Specimen("segment_spread", _spread, _spread_formula, ("sum", "mean"), integers=False, legal=COLUMNS),
    Specimen("segment_arg_gather", _arg_gather, picked),
    Specimen("segment_arg_scatter", _arg_scatter, _arg_scatter_formula),
    Specimen("segment_mul_backward", _mul_backward, _mul_backward_formula, slack=5, integers=False),
    Specimen("segment_softmax", _softmax, softmax, ("plain", "log"), slack=5, integers=False, legal=COLUMNS),
    Specimen(
        "segment_softmax_backward",
        _softmax_backward,
        _softmax_backward_formula,
        ("plain", "log"),
        slack=5,
        low_slack=2,
        integers=False,
    ),
    Specimen("segment_logsumexp", _logsumexp, logsumexp, slack=5, integers=False, legal=COLUMNS),
    Specimen(
        "segment_logsumexp_backward",
        _logsumexp_backward,
        _logsumexp_backward_formula,
        slack=5,
        low_slack=2,
        integers=False,
        differentiable=(2, 4),
    ),
]
