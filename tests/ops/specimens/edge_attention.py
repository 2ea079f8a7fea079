"""Specimens of attention along edges."""

import torch
from torch import Tensor

from graphlab.ops.philox import keep_mask
from tests.ops.cases import Case
from tests.ops.specimens import Arguments, Specimen, gradients

HEADS = 2
# Any number is a seed.
SEEDS = frozenset(
    f"seed: {c}"
    for c in ("no dimension", "negative", "far below", "too large", "just too large", "larger than 32 bits")
)
VARIANTS = ("gat", "gatv2", "dot", "gat dropout", "gatv2 dropout", "dot dropout")


def _forward(case: Case) -> Arguments:
    e, score = case.edges, case.variant.split()[0]
    wide = 1 if score == "gat" else case.d
    source, target = case.values(e.num_sources, HEADS, wide), case.values(e.num_targets, HEADS, wide)
    value = None if score == "gatv2" else case.values(e.num_sources, HEADS, case.d)
    # Scores of about one: a sum of d products of normal numbers is sqrt(d) wide.
    att = case.values(HEADS, case.d) / case.d**0.5 if score == "gatv2" else None
    dropout = 0.4 if "dropout" in case.variant else 0.0
    seed = torch.tensor([7]) if dropout else None
    parameter = case.d**-0.5 if score == "dot" else 0.2
    edges = [e.rowptr, e.col, e.perm, e.colptr, e.row, e.perm_t]
    return [*edges, source, target, value, att, seed, score, parameter, dropout]


def attention(rowptr, col, perm, source, target, value, att, seed, score, parameter, dropout) -> tuple[Tensor, Tensor]:
    value = source if value is None else value
    place = torch.arange(col.numel()) if perm is None else perm
    keep = keep_mask(seed, place, source.size(1), dropout).to(source) if dropout else None
    out, lse = [], []
    for i, (begin, end) in enumerate(zip(rowptr.tolist()[:-1], rowptr.tolist()[1:], strict=True)):
        j = col[begin:end].long()
        if score == "dot":
            scores = (source[j] * target[i]).sum(-1) * parameter
        else:
            active = torch.nn.functional.leaky_relu(source[j] + target[i], parameter)
            scores = active.squeeze(-1) if att is None else (active * att).sum(-1)
        weights = scores.softmax(0) if keep is None else scores.softmax(0) * keep[begin:end]
        out.append((weights.unsqueeze(-1) * value[j]).sum(0))
        lse.append(scores.logsumexp(0) if end > begin else scores.new_full((scores.size(1),), -torch.inf))
    if not out:
        return value.new_empty(0, *value.shape[1:]), value.new_empty(0, value.size(1))
    return torch.stack(out), torch.stack(lse)


def _formula(rowptr, col, perm, colptr, row, perm_t, *rest):
    return attention(rowptr, col, perm, *rest)


def _backward(case: Case) -> Arguments:
    args = _forward(case)
    exact = [a.double() if isinstance(a, Tensor) and a.is_floating_point() else a for a in args]
    out, lse = _formula(*exact)
    wide = torch.float32 if case.dtype == torch.bfloat16 else case.dtype
    return [*args[:11], out.to(case.dtype), lse.to(wide), case.values(*out.shape), *args[11:]]


def _backward_formula(
    rowptr, col, perm, colptr, row, perm_t, source, target, value, att, seed, out, lse, grad, *options
):
    given = [source, target, value, att]
    present = [t for t in given if t is not None]

    def forward(*inputs: Tensor) -> Tensor:
        left = iter(inputs)
        own = [None if t is None else next(left) for t in given]
        return attention(rowptr, col, perm, *own, seed, *options)[0]

    found = iter(gradients(forward, present, grad))
    return tuple(source.new_empty(0) if t is None else next(found) for t in given)


SPECIMENS = [
    Specimen(
        "edge_attention",
        _forward,
        _formula,
        VARIANTS,
        slack=5,
        low_slack=2,
        integers=False,
        legal=SEEDS | {"value: one more column", "value: one column less"},
    ),
    # What it is given of the forward pass follows from the rest: only through that is it differentiated.
    Specimen(
        "edge_attention_backward",
        _backward,
        _backward_formula,
        VARIANTS,
        slack=20,
        low_slack=8,
        integers=False,
        differentiable=(),
        legal=SEEDS,
    ),
]
