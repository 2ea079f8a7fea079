"""What the contract is checked on: structures, widths, precisions and index types, combined so that all pairs occur."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

FLOATS = (torch.float64, torch.float32, torch.bfloat16)
INDICES = (torch.int32, torch.int64)
WIDTHS = (1, 3, 16, 64, 70, 128, 257)

#: Edges into each target node, and the number of source nodes.
STRUCTURES: dict[str, tuple[list[int], int]] = {
    "no edges": ([0, 0, 0], 2),
    "no rows": ([], 4),
    "no columns": ([0, 0, 0], 0),
    "empty rows": ([0, 3, 0, 0, 5, 1, 0, 2, 0], 6),
    "one hub": ([2, 0, 300, 1, 4], 50),
    "small": ([2, 0, 3, 1], 3),
    "small, no row empty": ([2, 1, 3], 3),
    # Enough work that several threads take part, some of it in a row that no cut divides.
    "large": ([3, 0, 5, 2] * 300 + [2500], 900),
    "many edges": ([100] * 200, 200),
}
#: Those that every op is checked on in every precision; the others serve a single purpose.
GRID = ("no edges", "no rows", "no columns", "empty rows", "one hub")


class Edges:
    """A graph in CSR order by target and by source, made without the ops under test.

    Args:
        degrees: The number of edges into each target.
        num_sources: The number of source nodes.
        placed: Whether the user keeps the edges in another order.
        index: The type of the indices.
        generator: Draws the sources.
    """

    def __init__(
        self, degrees: list[int], num_sources: int, placed: bool, index: torch.dtype, generator: torch.Generator
    ) -> None:
        self.num_targets, self.num_sources, self.count = len(degrees), num_sources, sum(degrees)
        self.largest_degree = max([1, *degrees])
        # As many edges as there are: without sources there can be none.
        col = torch.randint(max(num_sources, 1), (self.count,), generator=generator)
        perm = torch.randperm(self.count, generator=generator) if placed else torch.arange(self.count)
        target = torch.arange(len(degrees)).repeat_interleave(torch.tensor(degrees, dtype=torch.long))
        order = torch.tensor(sorted(range(self.count), key=col.tolist().__getitem__), dtype=torch.long)
        self.rowptr = torch.tensor([0, *degrees]).cumsum(0).to(index)
        self.colptr = torch.tensor([0, *[(col == j).sum() for j in range(num_sources)]]).cumsum(0).to(index)
        self.col, self.row = col.to(index), target[order].to(index)
        self.perm, self.perm_t = perm.to(index) if placed else None, perm[order].to(index)
        #: The target of each edge in CSR order.
        self.target = target.to(index)


@dataclass(frozen=True)
class Case:
    """One point of the grid: what a specimen makes its arguments from.

    Args:
        variant: The specimen's own choice, such as the kind of reduction.
        structure: A key of :data:`STRUCTURES`.
        d: The width of a row.
        dtype: The precision.
        index: The type of indices.
        placed: Whether the user keeps edges in another order than CSR.
    """

    variant: str = ""
    structure: str = "small"
    d: int = 3
    dtype: torch.dtype = torch.float64
    index: torch.dtype = torch.int64
    placed: bool = True

    @cached_property
    def generator(self) -> torch.Generator:
        # The precision is left out: all draw the same numbers.
        return torch.Generator().manual_seed(
            zlib.crc32(f"{self.variant}{self.structure}{self.d}{self.placed}".encode())
        )

    @cached_property
    def edges(self) -> Edges:
        """The graph."""
        return Edges(*STRUCTURES[self.structure], self.placed, self.index, self.generator)

    def values(self, *shape: int) -> Tensor:
        """Draw normal numbers.

        Args:
            *shape: The shape.
        """
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64).to(self.dtype)

    def but(self, **changes: Any) -> "Case":
        """Copy with changes.

        Args:
            **changes: New values of fields.
        """
        return replace(self, **changes)

    def __str__(self) -> str:
        short = (str(self.dtype), str(self.index))
        dtype, index = (s.removeprefix("torch.") for s in short)
        return f"{self.variant or 'plain'}-{self.structure}-{self.d}-{dtype}-{index}-{'placed' if self.placed else ''}"


def grid(variants: tuple[str, ...], placed: tuple[bool, ...] = (False, True)) -> list[Case]:
    """Few cases in which every pair of values of two factors occurs.

    Args:
        variants: The specimen's choices.
        placed: Whether the edges have places of their own.
    """
    factors = {"variant": variants, "structure": GRID, "d": WIDTHS, "dtype": FLOATS, "index": INDICES, "placed": placed}
    return [Case(**dict(zip(factors, row, strict=True))) for row in all_pairs(list(factors.values()))]


def all_pairs(factors: list[tuple]) -> Iterator[tuple]:
    """Rows that together hold every pair of values of any two factors, greedily few of them.

    Args:
        factors: The values of each factor.
    """
    left = {((i, a), (j, b)) for i, j in combinations(range(len(factors)), 2) for a in factors[i] for b in factors[j]}
    rank = {pair: n for n, pair in enumerate(sorted(left, key=str))}
    while left:
        chosen: dict[int, Any] = dict(min(left, key=rank.__getitem__))
        for at in range(len(factors)):
            if at not in chosen:
                chosen[at] = max(factors[at], key=lambda value, at=at: _gain(left, chosen, at, value))
        left -= {tuple(pair) for pair in combinations(sorted(chosen.items()), 2)}
        yield tuple(chosen[at] for at in range(len(factors)))


def _gain(left: set, chosen: dict[int, Any], at: int, value: Any) -> int:
    return sum(tuple(sorted([(at, value), item], key=lambda pair: pair[0])) in left for item in chosen.items())
