"""The schedule of a balanced-tree reduction: which slots are combined at which level."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from graphlab.ops.cache import IndexCache
from graphlab.ops.groups import Groups

TREES = ("carry", "halving")

_PLANS = IndexCache()
# Random trees live for one training step; apart from the others so that they push none of those out.
_RANDOM_PLANS = IndexCache(max_entries=8)


@dataclass(frozen=True, eq=False)
class TreePlan:
    """Levels of independent combines over a buffer of slots.

    Slots ``0 .. num_elements - 1`` are the leaves in group order; combine ``j`` writes slot ``num_elements + j``.
    A slot is read by exactly one combine, so that the backward pass needs neither atomics nor sums.

    Args:
        leaves: The element of ``x`` in each leaf slot; ``None`` for the identity.
        levels: ``(left, right, start)`` per level, in order of execution: slots read, first slot written.
        root: The slot of each group's result; -1 for an empty group.
        num_elements: The number of leaves.
    """

    leaves: Tensor | None
    levels: list[tuple[Tensor, Tensor, int]]
    root: Tensor
    num_elements: int

    @cached_property
    def num_combines(self) -> int:
        """How often the cell is evaluated: elements minus non-empty groups."""
        return sum(left.numel() for left, _, _ in self.levels)

    @property
    def num_slots(self) -> int:
        """Leaves and combines together."""
        return self.num_elements + self.num_combines

    @cached_property
    def full(self) -> Tensor | None:
        """The non-empty groups; ``None`` if all are."""
        full = self.root >= 0
        return None if bool(full.all()) else full.nonzero().view(-1)

    @cached_property
    def empty(self) -> Tensor:
        """The empty groups."""
        return (self.root < 0).nonzero().view(-1)

    def results(self, slots: Tensor, identity: Tensor) -> Tensor:
        """Read each group's result out of the slots; empty groups get the identity.

        Args:
            slots: The value of every slot.
            identity: The value of an empty group.

        Shapes:
            - **slots:** ``(num_slots, batch * d)``
            - **identity:** ``(d,)``
            - **output:** ``(num_groups, batch * d)``
        """
        if self.full is None:
            return slots.index_select(0, self.root)
        out = identity.repeat(self.root.numel(), slots.size(1) // identity.numel())
        return out.index_copy(0, self.full, slots.index_select(0, self.root[self.full]))

    @cached_property
    def triples(self) -> tuple[Tensor, Tensor, Tensor]:
        r"""Slots :math:`(a, b, c)` of neighbouring subtrees, on which associativity can be asked for.

        A node :math:`(a \circ b) \circ (c \circ d)` gives :math:`(a, b, c)` and :math:`(b, c, d)`; a node
        :math:`(a \circ b) \circ c` with a leaf :math:`c` gives :math:`(a, b, c)`; any other node none.
        """
        left, right, _ = (torch.cat(part) for part in zip(*self._nodes(), strict=True))
        is_node = left >= self.num_elements
        left, right = left[is_node], right[is_node]
        a, b = self._children(left)
        both = right >= self.num_elements
        c, d = right.clone(), right[both]
        c[both], d = self._children(right[both])
        return torch.cat([a, b[both]]), torch.cat([b, c[both]]), torch.cat([c, d])

    @cached_property
    def pairs(self) -> tuple[Tensor, Tensor]:
        """The slots of all combines' operands."""
        left, right, _ = (torch.cat(part) for part in zip(*self._nodes(), strict=True))
        return left, right

    def _nodes(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        empty = self.root.new_empty(0)
        return [(*level[:2], empty) for level in self.levels] or [(empty, empty, empty)]

    def _children(self, slots: Tensor) -> tuple[Tensor, Tensor]:
        left, right = self.pairs
        at = slots - self.num_elements
        return left[at], right[at]


def tree_plan(groups: Groups, tree: str = "carry", seed: int | None = None) -> TreePlan:
    r"""Schedule one balanced binary tree per group.

    ``"carry"`` pairs neighbours and carries an odd last one to the next level, which splits :math:`n` leaves after the
    largest power of two below :math:`n`; ``"halving"`` splits after :math:`\lceil n/2 \rceil`. Both need :math:`n - 1`
    combines in :math:`\lceil \log_2 n \rceil` levels. With a ``seed`` the elements of each group are shuffled and every
    split point is drawn uniformly among those that keep the depth at :math:`\lceil \log_2 n \rceil + 1` or less.

    Args:
        groups: The elements in group order.
        tree: ``"carry"`` or ``"halving"``.
        seed: Draws a random tree when given; ``tree`` then has no effect.

    Raises:
        ValueError: ``tree`` is unknown.
    """
    if tree not in TREES:
        raise ValueError(f"'tree' must be one of {', '.join(map(repr, TREES))}, got {tree!r}")
    if seed is None:
        base = _PLANS.get(groups.ptr, tree, lambda: _build(groups.ptr, tree))
        return base if groups.perm is None else replace(base, leaves=groups.perm)

    def build() -> TreePlan:
        generator = torch.Generator(groups.ptr.device).manual_seed(seed)
        order = shuffled(groups, generator)
        plan = _build(groups.ptr, "random", generator)
        return replace(plan, leaves=order)

    content = groups.ptr if groups.perm is None else torch.cat([groups.ptr, groups.perm])
    return _RANDOM_PLANS.get(content, (seed, groups.num_groups), build)


def clear_cache() -> None:
    """Forget all remembered schedules."""
    _PLANS.clear()
    _RANDOM_PLANS.clear()


def shuffled(groups: Groups, generator: torch.Generator) -> Tensor:
    """Return the elements in group order, those of each group in random order.

    Args:
        groups: The elements in group order.
        generator: Draws the order.

    Shapes:
        - **output:** ``(num_elements,)``
    """
    noise = torch.rand(groups.num_elements, generator=generator, dtype=torch.float64, device=groups.ptr.device)
    order = torch.argsort(groups.group_of + noise)
    return order if groups.perm is None else groups.perm[order]


def _split(size: Tensor, tree: str, budget: Tensor, generator: torch.Generator | None) -> Tensor:
    """The number of leaves of the left child of a node with ``size`` leaves."""
    if tree == "halving":
        return (size + 1) // 2
    if tree == "carry":
        exponent = torch.frexp((size - 1).double()).exponent.long() - 1
        return torch.ones_like(size) << exponent
    # Both children must fit into the levels that are left below this node.
    child = torch.ones_like(size) << (budget - 1)
    low, high = (size - child).clamp(min=1), torch.minimum(child, size - 1)
    u = torch.rand(size.shape, generator=generator, dtype=torch.float64, device=size.device)
    return low + (u * (high - low + 1)).long()


def _build(ptr: Tensor, tree: str, generator: torch.Generator | None = None) -> TreePlan:
    """Split intervals of leaves top-down, then number the nodes bottom-up."""
    counts = ptr[1:] - ptr[:-1]
    inner = (counts > 1).nonzero().view(-1)
    start, size = ptr[:-1][inner], counts[inner]
    budget = torch.frexp((size - 1).double()).exponent.long() + 1
    depths = []
    while size.numel():
        half = _split(size, tree, budget, generator)
        starts = torch.stack([start, start + half], 1).view(-1)
        sizes = torch.stack([half, size - half], 1).view(-1)
        depths.append((starts, sizes))
        grows = sizes > 1
        start, size, budget = starts[grows], sizes[grows], (budget - 1).repeat_interleave(2)[grows]
    base = num_elements = int(ptr[-1])
    levels, below = [], base
    for starts, sizes in reversed(depths):
        grows = sizes > 1
        slots = torch.where(grows, grows.cumsum(0) - 1 + below, starts).view(-1, 2)
        levels.append((slots[:, 0].contiguous(), slots[:, 1].contiguous(), base))
        below, base = base, base + slots.size(0)
    root = torch.where(counts == 1, ptr[:-1], -1)
    root[inner] = below + torch.arange(inner.numel(), device=ptr.device)
    return TreePlan(None, levels, root, num_elements)
