"""Graphs to sample from, and what every sample keeps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

BACKENDS = ("auto", "ref")
#: Among them none, all, more than any degree, and more than are picked by sorted insertion.
fanouts = st.lists(st.sampled_from([-1, 0, 1, 2, 3, 5, 10, 33, 40]), max_size=3)
keys = st.integers(0, 2**64 - 1)


@dataclass
class Compressed:
    rowptr: Tensor
    col: Tensor

    @property
    def nodes(self) -> int:
        return self.rowptr.numel() - 1

    @property
    def edges(self) -> int:
        return self.col.numel()

    def row(self, node: int) -> list[int]:
        return self.col[int(self.rowptr[node]) : int(self.rowptr[node + 1])].tolist()


def compressed(degrees: Any, nodes: int, dtype: torch.dtype, seed: int) -> Compressed:
    rowptr = torch.cat([torch.zeros(1, dtype=torch.int64), torch.as_tensor(degrees, dtype=torch.int64).cumsum(0)])
    generator = torch.Generator().manual_seed(seed)
    return Compressed(rowptr.to(dtype), torch.randint(0, nodes, (int(rowptr[-1]),), generator=generator).to(dtype))


@st.composite
def graphs(draw: Any) -> Compressed:
    most = draw(st.sampled_from([1, 3, 12, 90]))
    degrees = draw(st.lists(st.integers(0, most), min_size=1, max_size=20))
    dtype = draw(st.sampled_from([torch.int32, torch.int64]))
    return compressed(degrees, len(degrees), dtype, draw(st.integers(0, 1000)))


def cycle(size: int) -> Compressed:
    """Each node has its two neighbours, the smaller id first."""
    node = torch.arange(size)
    col = torch.stack([(node - 1) % size, (node + 1) % size], 1).sort(1).values
    return Compressed(torch.arange(0, 2 * size + 1, 2), col.view(-1))


def star(degree: int) -> Compressed:
    """Node 0 has all others for neighbours; they have none."""
    rowptr = torch.full((degree + 2,), degree)
    rowptr[0] = 0
    return Compressed(rowptr, torch.arange(1, degree + 1))


def same(a: Any, b: Any) -> bool:
    """Equal bits and types, in whatever they are nested."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def uniformity(counts: Any, expected: float, inclusion: float) -> float:
    """The probability of counts that are so uneven, or so even, if picks without replacement are fair.

    Args:
        counts: How often each neighbour was picked.
        expected: How often it should be.
        inclusion: The probability of a neighbour to be among the picks of one node.
    """
    counts = np.asarray(counts, np.float64)
    # k of d at a time: counts vary less than independent ones, and add up.
    spread = expected * (1 - inclusion) * len(counts) / (len(counts) - 1)
    statistic = ((counts - expected) ** 2).sum() / spread
    tails = stats.chi2.sf(statistic, len(counts) - 1), stats.chi2.cdf(statistic, len(counts) - 1)
    return 2 * float(min(tails))
