"""SPEN's layer as the paper has it: a bag at a time, all 15 operations in full."""

from typing import Any

import torch
from torch import Tensor

from graphlab.subgraph import PairPlan, SPENConv


def order2_to_2(x: Tensor) -> list[Tensor]:
    m = x.size(0)
    eye, ones = torch.eye(m, dtype=x.dtype)[..., None], torch.ones(m, m, 1, dtype=x.dtype)
    d, r, c = torch.diagonal(x).T, x.sum(1) / m, x.sum(0) / m
    trace, total = d.sum(0) / m, x.sum((0, 1)) / m**2
    on_diagonal = [eye * z for z in (d[:, None], trace, r[:, None], c[:, None], total)]
    means = [ones * z for z in (c[:, None], r[:, None], c[None], r[None])]
    return [*on_diagonal, *means, x, x.transpose(0, 1), ones * d[:, None], ones * d[None], ones * trace, ones * total]


def order2_to_1(x: Tensor) -> list[Tensor]:
    m = x.size(0)
    d = torch.diagonal(x).T
    one = torch.ones_like(d)
    return [d, one * d.sum(0) / m, x.sum(1) / m, x.sum(0) / m, one * x.sum((0, 1)) / m**2]


def order1_to_2(x: Tensor) -> list[Tensor]:
    m = x.size(0)
    eye, ones = torch.eye(m, dtype=x.dtype)[..., None], torch.ones(m, m, 1, dtype=x.dtype)
    return [eye * x[:, None], eye * x.mean(0), ones * x[None], ones * x[:, None], ones * x.mean(0)]


def order1_to_1(x: Tensor) -> list[Tensor]:
    return [x, torch.ones_like(x) * x.mean(0)]


def linear(operations: list[Tensor], weight: Tensor) -> Tensor:
    return sum(made @ w for made, w in zip(operations, weight, strict=True))  # pyright: ignore


def dense_layer(
    conv: SPENConv, x: Tensor, x_node: Tensor | None, sets: list[list[int]], classes: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """Features of all n x n pairs, zero where no bag holds both, and of the nodes."""
    n = x.size(0)
    pairs, count = torch.zeros(n, n, conv.pair_channels, dtype=x.dtype), torch.zeros(n, n, 1)
    nodes, often = torch.zeros(n, conv.node_out_channels, dtype=x.dtype), torch.zeros(n, 1)
    for members in sets:
        at = torch.tensor(members)
        inside = None if x_node is None else x_node[at]
        of_pairs, of_nodes = _bag(conv, x[at][:, at], inside, class_number(len(members), classes))
        pairs[at[:, None], at[None]] += of_pairs
        nodes[at] += of_nodes
        count[at[:, None], at[None]] += 1
        often[at] += 1
    return pairs / count.clamp(min=1), nodes / often.clamp(min=1)


def class_number(m: int, classes: tuple[int, ...]) -> int:
    """Which class a bag of m nodes is of."""
    return max((c for c, least in enumerate(classes) if least <= m), default=0)


def _bag(conv: Any, x: Tensor, x_node: Tensor | None, w: int) -> tuple[Tensor, Tensor]:
    h, m = conv.out_channels, x.size(0)
    to_all, to_diagonal, to_nodes = conv.bias[w]
    eye = torch.eye(m, dtype=x.dtype)[..., None]
    pairs = [linear(order2_to_2(x), conv.weight22[w]) + to_all[:h] + eye * to_diagonal[:h]]
    nodes = [linear(order2_to_1(x), conv.weight21[w]) + to_nodes[:h]]
    if x_node is not None:
        pairs.append(linear(order1_to_2(x_node), conv.weight12[w]) + to_all[h:] + eye * to_diagonal[h:])
        nodes.append(linear(order1_to_1(x_node), conv.weight11[w]) + to_nodes[h:])
    if conv.product:
        left, right = torch.tanh(conv.factors(x)).chunk(2, dim=-1)
        pairs.append(torch.einsum("ikc,kjc->ijc", left, right) / m)
    return torch.cat(pairs, -1), torch.cat(nodes, -1)


def scattered(x: Tensor, plan: PairPlan) -> Tensor:
    """Features of pairs in an n x n table, zero elsewhere."""
    return x.new_zeros(plan.num_nodes, plan.num_nodes, x.size(1)).index_put((plan.row, plan.col), x)
