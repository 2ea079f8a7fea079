"""How far an aggregator is from a commutative monoid, measured on the user's own data."""

import copy
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn.aggr import Aggregation

#: Combines two batches of elements, row by row.
Combine = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class LawErrors:
    """Mean relative errors; `nan` where a law has no meaning for the aggregator.

    Args:
        associativity: Of `(a.b).c` against `a.(b.c)` on triples of elements.
        permutation: Of a group against the same group in another order.
        tree_shape: Of the carry tree against the halving tree.
    """

    associativity: float
    permutation: float
    tree_shape: float

    def __str__(self) -> str:
        told = (
            f"{name.replace('_', ' ')} {'n/a' if math.isnan(error) else f'{error:.2e}'}"
            for name, error in asdict(self).items()
        )
        return ", ".join(told)


@torch.no_grad()
def law_errors(
    aggr: Aggregation,
    x: Tensor,
    index: Tensor | None = None,
    *,
    num_samples: int = 4,
    seed: int = 0,
) -> LawErrors:
    r"""Measure how well an aggregator keeps the laws of a commutative monoid on given data.

    .. math::
        E_{perm} = \mathrm{mean}\;
            \frac{\|agg(X) - agg(\pi X)\|}{\|agg(X)\|}, \qquad
        E_{assoc} = \mathrm{mean}\;
            \frac{\|(a \cdot b) \cdot c - a \cdot (b \cdot c)\|}{\|(a \cdot b) \cdot c\|}, \qquad
        E_{tree} = \mathrm{mean}\;
            \frac{\|agg_{carry}(X) - agg_{halving}(X)\|}{\|agg_{carry}(X)\|}

    `E_perm` and `E_tree` are means over groups of at least two elements. `E_tree` needs an attribute `tree` that takes
    "carry" and "halving". Without elements every error is `nan`.

    `E_assoc` takes its operation from `aggr.combine(a, b)`, on triples of states from `aggr.triples(x, index)`, or
    else on triples of elements from groups of at least three, made states by `aggr.lift(x)` if there is such a method.
    Without `combine` it aggregates pairs of elements; that needs aggregates that are elements again: an attribute
    `closed = True`, or no parameters, and as many channels out as in.

    The aggregator is measured in eval mode and left in the mode it was in.

    Args:
        aggr: The aggregator.
        x: Elements.
        index: Group of every element, in any order; `None` for one group.
        num_samples: Number of random permutations, and of triples for each group.
        seed: Seed of permutations and triples.

    Shapes:
        x: `(E, F)`; index: `(E,)`.

    Raises:
        ValueError: `x` is no matrix, `index` does not fit it, or `num_samples` is not positive.

    Example:
        >>> import torch
        >>> from torch_geometric.nn.aggr import MaxAggregation
        >>> print(law_errors(MaxAggregation(), torch.randn(8, 2)))
        associativity 0.00e+00, permutation 0.00e+00, tree shape n/a
    """
    x, index = _sorted_by_group(x, index)
    if num_samples < 1:
        raise ValueError(f"'num_samples' got {num_samples}, expected at least 1")
    generator = torch.Generator().manual_seed(seed)
    orders = [_order_within(index, generator) for _ in range(num_samples)]
    if x.size(0) == 0:
        return LawErrors(math.nan, math.nan, math.nan)
    with _eval_mode(aggr):
        return LawErrors(
            associativity=_associativity(aggr, x, index, orders),
            permutation=_permutation(aggr, x, index, orders),
            tree_shape=_tree_shape(aggr, x, index),
        )


def _sorted_by_group(x: Tensor, index: Tensor | None) -> tuple[Tensor, Tensor]:
    if x.dim() != 2:
        raise ValueError(f"'x' got shape {list(x.shape)}, expected a matrix (E, F)")
    if index is None:
        index = x.new_zeros(x.size(0), dtype=torch.long)
    if index.shape != x.shape[:1]:
        shape = list(index.shape)
        raise ValueError(f"'index' got shape {shape}, expected [{x.size(0)}], one per row of 'x'")
    # Groups without elements are dropped: no law speaks of them.
    group: Tensor = index.unique(return_inverse=True)[1]
    order = group.argsort(stable=True)
    return x[order], group[order]


def _order_within(index: Tensor, generator: torch.Generator) -> Tensor:
    order = torch.randperm(index.numel(), generator=generator).to(index.device)
    return order[index[order].argsort(stable=True)]


@contextmanager
def _eval_mode(aggr: Aggregation) -> Iterator[None]:
    modes = [(module, module.training) for module in aggr.modules()]
    aggr.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _mean_error(expected: Tensor, actual: Tensor) -> float:
    """Mean over rows of the relative error; `nan` without rows, 0 where both are zero."""
    # A state may hold infinities, the identity of a maximum: where both agree, there is no error.
    apart = torch.where(expected == actual, 0.0, expected - actual)
    difference = apart.flatten(1).norm(dim=1)
    error = difference / torch.where(expected.isinf(), 0.0, expected).flatten(1).norm(dim=1)
    return torch.where(difference == 0, difference, error).double().mean().item()


def _several(index: Tensor) -> Tensor:
    return index.bincount() >= 2


def _permutation(aggr: Aggregation, x: Tensor, index: Tensor, orders: list[Tensor]) -> float:
    several = _several(index)
    size = several.numel()
    expected = aggr(x, index, dim_size=size)[several]
    actual = [aggr(x[order], index, dim_size=size)[several] for order in orders]
    return _mean_error(expected.repeat(len(orders), 1), torch.cat(actual))


def _tree_shape(aggr: Aggregation, x: Tensor, index: Tensor) -> float:
    shapes = ("carry", "halving")
    if getattr(aggr, "tree", None) not in shapes:
        return math.nan
    several = _several(index)
    rows = []
    for tree in shapes:
        shaped: Any = copy.copy(aggr)  # shares the parameters, has a `tree` of its own
        shaped.tree = tree
        rows.append(shaped(x, index, dim_size=several.numel())[several])
    return _mean_error(*rows)


def _associativity(aggr: Aggregation, x: Tensor, index: Tensor, orders: list[Tensor]) -> float:
    combine = _own_combine(aggr)
    if combine is not None:
        a, b, c = _own_triples(aggr, x, index, orders)
    else:
        combine = _combine_by_pairs(aggr, x)
        a, b, c = _triples(x, index, orders)
    if combine is None or a.size(0) == 0:
        return math.nan
    return _mean_error(combine(combine(a, b), c), combine(a, combine(b, c)))


def _own_triples(aggr: Any, x: Tensor, index: Tensor, orders: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    if hasattr(aggr, "triples"):
        return aggr.triples(x, index)
    return _triples(aggr.lift(x) if hasattr(aggr, "lift") else x, index, orders)


def _triples(x: Tensor, index: Tensor, orders: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The first three elements of every large enough group, in every order."""
    count = index.bincount()
    start = (count.cumsum(0) - count)[count >= 3]
    a, b, c = (x[torch.cat([order[start + i] for order in orders])] for i in range(3))
    return a, b, c


def _own_combine(aggr: Aggregation) -> Combine | None:
    combine = getattr(aggr, "combine", None)
    # PyG's MultiAggregation has a `combine` too, of one list: that is another thing.
    if combine is None or len(inspect.signature(combine).parameters) != 2:
        return None
    return combine


def _combine_by_pairs(aggr: Aggregation, x: Tensor) -> Combine | None:
    closed = getattr(aggr, "closed", next(aggr.parameters(), None) is None)
    if not closed or aggr(x[:1]).shape != x[:1].shape:
        return None

    def aggregate_pair(a: Tensor, b: Tensor) -> Tensor:
        pairs = torch.stack([a, b], dim=1).flatten(0, 1)
        index = torch.arange(a.size(0), device=a.device).repeat_interleave(2)
        return aggr(pairs, index, dim_size=a.size(0))

    return aggregate_pair
