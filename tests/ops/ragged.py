"""Ragged groups for tests, and their strategy for property-based ones."""

import torch
from hypothesis import strategies as st
from torch import Tensor

counts = st.lists(st.integers(0, 9) | st.sampled_from([16, 17, 33]), min_size=0, max_size=6)
seeds = st.integers(0, 2**31 - 1)


def pointer(sizes: list[int]) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)


def group_of(sizes: list[int]) -> Tensor:
    return torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes, dtype=torch.long))


def elements(sizes: list[int], channels: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(sum(sizes), channels, generator=generator, dtype=torch.float64)


def largest(*differences: Tensor) -> float:
    return max((float(d.detach().abs().max()) for d in differences if d.numel()), default=0.0)
