"""Ragged groups of random elements: the input on which aggregators are judged."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Groups:
    """Elements `x`, sorted by group, of groups with the given sizes.

    Args:
        x: Elements.
        sizes: Number of elements of every group; zero makes an empty group.
        seed: Seed that the elements were drawn with, for messages.

    Shapes:
        x: `(E, F)` with `E = sum(sizes)`.
    """

    x: Tensor
    sizes: tuple[int, ...]
    seed: int

    @property
    def index(self) -> Tensor:
        """Group of every element, sorted, `(E,)`."""
        sizes = torch.tensor(self.sizes, dtype=torch.long, device=self.x.device)
        return torch.arange(len(self), device=self.x.device).repeat_interleave(sizes)

    @property
    def ptr(self) -> Tensor:
        """Boundaries of the groups, `(G + 1,)`."""
        sizes = torch.tensor((0, *self.sizes), dtype=torch.long, device=self.x.device)
        return sizes.cumsum(0)

    def __len__(self) -> int:
        return len(self.sizes)

    def __str__(self) -> str:
        sizes = ", ".join(map(str, self.sizes))
        return f"x {list(self.x.shape)} {self.x.dtype}, group sizes ({sizes}), seed {self.seed}"

    def first(self, count: int) -> "Groups":
        """Return the first `count` groups alone."""
        sizes = self.sizes[:count]
        return Groups(self.x[: sum(sizes)], sizes, self.seed)

    def grow(self, group: int, by: int) -> "Groups":
        """Return the groups with `by` more random elements, 1000 times as large, in one of them."""
        extra = 1000 * draw(self.x, (by, self.x.size(-1)), self.seed + 1)
        end = sum(self.sizes[: group + 1])
        sizes = list(self.sizes)
        sizes[group] += by
        x = torch.cat([self.x[:end], extra, self.x[end:]])
        return Groups(x, tuple(sizes), self.seed)

    def reorder(self, order: list[int]) -> "Groups":
        """Return the groups in another order: group `i` of the result is group `order[i]` here."""
        parts = self.x.split(self.sizes)
        x = torch.cat([parts[i] for i in order])
        return Groups(x, tuple(self.sizes[i] for i in order), self.seed)


def ragged(x_like: Tensor, sizes: tuple[int, ...], seed: int) -> Groups:
    """Draw standard normal elements for groups of the given sizes.

    Args:
        x_like: Gives the number of channels (its last size), dtype and device.
        sizes: Number of elements of every group.
        seed: Seed of the elements.

    Shapes:
        x_like: `(*, F)`.
    """
    return Groups(draw(x_like, (sum(sizes), x_like.size(-1)), seed), sizes, seed)


def draw(like: Tensor, shape: tuple[int, ...], seed: int) -> Tensor:
    """Draw a standard normal tensor with the dtype and device of another, the same everywhere.

    Args:
        like: Gives dtype and device.
        shape: Shape of the result.
        seed: Seed of its own generator; the global one is not touched.
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(like)


def shuffled(count: int, seed: int) -> Tensor:
    """Draw a permutation of `0 ... count - 1`, `(count,)`.

    Args:
        count: Number of things to permute.
        seed: Seed of its own generator; the global one is not touched.
    """
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generator of the CPU, and leave it afterwards as it was before.

    Args:
        seed: Seed of what is drawn inside.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
