"""Specimens of multi_reduce and its gradient."""

import torch
from torch import Tensor

from tests.ops.cases import Case
from tests.ops.specimens import Arguments, Specimen, per_row
from tests.ops.specimens.gather_reduce import chosen, picked, reduced

SETS = ("sum,mean,std,min,max", "max,var", "mean,sum", "std,var", "min,max", "min")


def _forward(case: Case) -> Arguments:
    e = case.edges
    return [e.rowptr, e.col, e.colptr, e.row, case.values(e.num_sources, case.d), case.variant]


def _formula(rowptr, col, colptr, row, x, reduces):
    names = reduces.split(",")
    found = {r: reduced(rowptr, col, None, None, None, None, None, x, r) for r in ("sum", "mean", "min", "max")}
    made = {name: values for name, (values, _) in found.items()}
    message, mean = x[col.long()], made["mean"]

    def variance(i: int, at: slice) -> Tensor:
        return (message[at] - mean[i]).square().sum(0) / max(at.stop - at.start, 1)

    made["var"] = per_row(rowptr, variance, x.new_empty(0, x.size(1)))
    made["std"] = torch.where(made["var"] <= 1e-5, 0, made["var"]).sqrt()
    curved = "var" in names or "std" in names
    none = rowptr.new_empty(0, dtype=torch.int32)
    choices = [found[name][1] if name in names else none for name in ("min", "max")]
    return torch.stack([made[name] for name in names], 1), mean if curved else x.new_empty(0), *choices


def _backward(case: Case) -> Arguments:
    e, names = case.edges, case.variant.split(",")
    rows, x = (e.num_targets, case.d), case.values(e.num_sources, case.d)
    grad = case.values(rows[0], len(names), rows[1])
    out = case.values(*grad.shape).abs() + 0.5
    mean = case.values(*rows) if "var" in names or "std" in names else x.new_empty(0)
    mean = mean.float() if case.dtype == torch.bfloat16 else mean
    none = e.rowptr.new_empty(0, dtype=torch.int32)
    choices = [chosen(case) if name in names else none for name in ("min", "max")]
    return [e.rowptr, e.col, e.colptr, e.row, grad, x, out, mean, *choices, case.variant]


def _backward_formula(rowptr, col, colptr, row, grad, x, out, mean, argmin, argmax, reduces):
    """Differentiate what is linear in x once mean and deviation are held."""
    names = reduces.split(",")
    given = dict(zip(names, grad.unbind(1), strict=True))
    degree = rowptr.diff().clamp(min=1).unsqueeze(1)
    zero = grad.new_zeros(degree.size(0), x.size(1))
    a = given.get("sum", zero) + given.get("mean", zero) / degree
    c = 2 * given.get("var", zero)
    if "std" in names:
        c = c + given["std"] / out[:, names.index("std")]
    target = torch.arange(degree.size(0)).repeat_interleave(rowptr.diff())
    along = a[target]
    if "var" in names or "std" in names:
        along = along + (c / degree)[target] * (x[col.long()] - mean[target])
    total = torch.zeros_like(x).index_add(0, col.long(), along)
    for name, arg in (("min", argmin), ("max", argmax)):
        if name in names:
            own = torch.zeros_like(x).requires_grad_()
            with torch.enable_grad():
                at_choice = picked(rowptr, own[col.long()], arg)
            if at_choice.requires_grad:
                total = total + torch.autograd.grad(at_choice, own, given[name], materialize_grads=True)[0]
    return total


SPECIMENS = [
    Specimen(
        "multi_reduce",
        _forward,
        _formula,
        SETS,
        placed=(False,),
        integers=False,
        low_slack=2,
        legal=frozenset({"x: one more column", "x: one column less", "x: one more row"}),
    ),
    Specimen(
        "multi_reduce_backward",
        _backward,
        _backward_formula,
        SETS,
        placed=(False,),
        integers=False,
        low_slack=4,
        legal=frozenset({"x: one more row"}),
    ),
]
