"""The schedule of a ragged recurrence: which elements are read at which step."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graphlab.ops.cache import remembered
from graphlab.ops.groups import Groups
from graphlab.ops.tree_plan import shuffled

# Groups per tile, and elements per chunk of a tile: a chunk's gates stay in the cache, and the tail of a hub's steps
# shares its projections.
TILE_GROUPS = 2048
CHUNK_ELEMENTS = 8192


@dataclass(frozen=True)
class Chunk:
    """Consecutive steps of a tile of groups of similar size.

    Args:
        begin: The first packed position.
        end: One past the last packed position.
        row: The tile's first rank.
        steps: ``(offset, batch)`` per step: packed position of the first element, number of groups still running.
        first: Whether the steps start from the initial state.
    """

    begin: int
    end: int
    row: int
    steps: list[tuple[int, int]]
    first: bool


@dataclass(frozen=True, eq=False)
class StepPlan:
    """Elements packed step by step, tile by tile, with the groups sorted by size.

    A group's rank is its place by falling size, empty groups left out. No group runs longer than its own elements last.

    Args:
        gather: The element of ``x`` at each packed position.
        previous: The packed position of the same group's element before; -1 at its first.
        position: The packed position of each element, rank after rank.
        begin: Where each rank starts in ``position``.
        size: The number of elements of each rank.
        order: The group of each rank.
        empty: The groups without an element.
        chunks: The tiles' steps in order of execution.
    """

    gather: Tensor
    previous: Tensor
    position: Tensor
    begin: Tensor
    size: Tensor
    order: Tensor
    empty: Tensor
    chunks: list[Chunk]

    @remembered
    def last(self) -> Tensor:
        """The packed position of each rank's last element."""
        return self.position[self.begin + self.size - 1]

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """The plan as the kernels read it."""
        return self.gather, self.position, self.begin, self.size, self.order

    def scatter(self, last: Tensor, initial: Tensor) -> Tensor:
        """Bring the ranks' last states into the order of the groups; empty groups get the initial state.

        Args:
            last: The last state of each rank.
            initial: The state before the first element.

        Shapes:
            - **last:** ``(num_ranks, batch * d)``
            - **initial:** ``(d,)``
            - **output:** ``(num_groups, batch * d)``
        """
        num_groups = self.order.numel() + self.empty.numel()
        out = initial.repeat(num_groups, last.size(1) // initial.numel())
        return out.index_copy(0, self.order, last)


def step_plan(groups: Groups, seed: int | None = None) -> StepPlan:
    """Schedule a recurrence over each group's elements.

    Args:
        groups: The elements in group order.
        seed: Shuffles the elements of each group when given.
    """
    if "steps" not in groups.schedules:
        with torch.inference_mode(False):
            groups.schedules["steps"] = _build(groups.ptr)
    plan, place = groups.schedules["steps"]
    if seed is not None:
        elements = shuffled(groups, torch.Generator(groups.ptr.device).manual_seed(seed))
    else:
        elements = groups.perm
    return plan if elements is None else replace(plan, gather=elements[place])


def _build(ptr: Tensor) -> tuple[StepPlan, Tensor]:
    counts, num_elements = ptr[1:] - ptr[:-1], int(ptr[-1])
    order = torch.argsort(counts, descending=True, stable=True)
    order, empty = order[counts[order] > 0], order[counts[order] == 0]
    size = counts[order]
    begin = size.cumsum(0) - size
    rank = torch.repeat_interleave(torch.arange(order.numel(), device=ptr.device), size)
    step = torch.arange(num_elements, device=ptr.device) - begin[rank]
    longest = int(size[0]) if size.numel() else 0
    key = rank // TILE_GROUPS * longest + step
    packing = torch.argsort(key, stable=True)
    position = torch.empty_like(packing)
    position[packing] = torch.arange(num_elements, device=ptr.device)
    previous = torch.where(step > 0, position.roll(1), -1)[packing]
    keys, batch = torch.unique_consecutive(key[packing], return_counts=True)
    chunks = _chunks(keys.tolist(), batch.tolist(), longest)
    place = (ptr[:-1][order][rank] + step)[packing]
    return StepPlan(place, previous, position, begin, size, order, empty, chunks), place


def _chunks(keys: list[int], batch: list[int], longest: int) -> list[Chunk]:
    """Cut the steps where a tile ends or a chunk is full."""
    chunks: list[Chunk] = []
    steps: list[tuple[int, int]] = []
    begin = offset = 0
    first = True
    for i, (key, size) in enumerate(zip(keys, batch, strict=True)):
        steps.append((offset, size))
        offset += size
        ends_tile = i + 1 == len(keys) or keys[i + 1] // longest != key // longest
        if ends_tile or offset - begin >= CHUNK_ELEMENTS:
            chunks.append(Chunk(begin, offset, key // longest * TILE_GROUPS, steps, first))
            begin, steps, first = offset, [], ends_tile
    return chunks
