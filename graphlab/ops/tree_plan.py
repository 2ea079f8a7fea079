"""The schedule of a balanced-tree reduction: which slots are combined at which level."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from graphlab.ops.cache import IndexCache, remembered
from graphlab.ops.groups import Groups

TREES = ("carry", "halving")

# A random tree lives for one training step, from its forward to its backward pass.
_RANDOM_PLANS = IndexCache(max_entries=8)


@dataclass(frozen=True, eq=False)
class Places:
    """Slots split by where their values lie: leaves in ``x``, combines in a buffer of their own.

    Args:
        elements: The row of ``x`` of each slot; 0 for a combine.
        combines: The row of the buffer of each slot; 0 for a leaf.
        is_leaf: Which of both, as a column; ``None`` where all are of one kind.
        all_leaves: Whether all are leaves, where ``is_leaf`` is ``None``.
    """

    elements: Tensor
    combines: Tensor
    is_leaf: Tensor | None
    all_leaves: bool

    def __getitem__(self, rows: slice) -> "Places":
        mixed = None if self.is_leaf is None else self.is_leaf[rows]
        return Places(self.elements[rows], self.combines[rows], mixed, self.all_leaves)

    def read(self, x: Tensor, combines: Tensor) -> Tensor:
        """Gather the slots' values; differentiable.

        Args:
            x: The elements.
            combines: The values of the combines.

        Shapes:
            - **x:** ``(num_elements, d)``
            - **combines:** ``(>= num_combines, d)``
            - **output:** ``(num_slots, d)``
        """
        if self.is_leaf is None:
            return x.index_select(0, self.elements) if self.all_leaves else combines.index_select(0, self.combines)
        return torch.where(self.is_leaf, x.index_select(0, self.elements), combines.index_select(0, self.combines))

    def write(self, values: Tensor, x: Tensor, combines: Tensor, add: bool = False) -> None:
        """Store values into the slots, in place.

        Args:
            values: The values.
            x: Where leaves lie.
            combines: Where combines lie.
            add: Whether values are added to those of combines instead.
        """
        put = combines.index_add_ if add else combines.index_copy_
        if self.is_leaf is not None:
            leaf, inner = self.is_leaf.view(-1).nonzero().view(-1), (~self.is_leaf.view(-1)).nonzero().view(-1)
            x.index_copy_(0, self.elements[leaf], values.index_select(0, leaf))
            put(0, self.combines[inner], values.index_select(0, inner))
        elif self.all_leaves:
            x.index_copy_(0, self.elements, values)
        else:
            put(0, self.combines, values)


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

    @remembered
    def num_combines(self) -> int:
        """How often the cell is evaluated: elements minus non-empty groups."""
        return sum(left.numel() for left, _, _ in self.levels)

    @property
    def num_slots(self) -> int:
        """Leaves and combines together."""
        return self.num_elements + self.num_combines

    @remembered
    def full(self) -> Tensor | None:
        """The non-empty groups; ``None`` if all are."""
        full = self.root >= 0
        return None if bool(full.all()) else full.nonzero().view(-1)

    @remembered
    def empty(self) -> Tensor:
        """The empty groups."""
        return (self.root < 0).nonzero().view(-1)

    def places(self, slots: Tensor) -> Places:
        """Split slots by where their values lie.

        Args:
            slots: The slots.
        """
        is_leaf = slots < self.num_elements
        elements = torch.where(is_leaf, slots, 0)
        if self.leaves is not None and self.num_elements:
            elements = self.leaves[elements]
        count = int(is_leaf.sum())
        mixed = 0 < count < slots.numel()
        combines = torch.where(is_leaf, 0, slots - self.num_elements)
        return Places(elements, combines, is_leaf.view(-1, 1) if mixed else None, count == slots.numel())

    @remembered
    def operands(self) -> list[tuple[Places, Places, int]]:
        """Per level the left and the right operands' places, and the first combine's row."""
        return [(self.places(a), self.places(b), start - self.num_elements) for a, b, start in self.levels]

    @remembered
    def roots(self) -> Places:
        """The places of the non-empty groups' results."""
        return self.places(self.root if self.full is None else self.root[self.full])

    def results(self, x: Tensor, combines: Tensor, identity: Tensor) -> Tensor:
        """Read each group's result; empty groups get the identity.

        Args:
            x: The elements.
            combines: The values of the combines.
            identity: The value of an empty group.

        Shapes:
            - **x:** ``(num_elements, batch * d)``
            - **combines:** ``(>= num_combines, batch * d)``
            - **identity:** ``(d,)``
            - **output:** ``(num_groups, batch * d)``
        """
        found = self.roots.read(x, combines)
        if self.full is None:
            return found
        out = identity.repeat(self.root.numel(), x.size(1) // identity.numel())
        return out.index_copy(0, self.full, found)

    def slots(self, x: Tensor, combines: Tensor) -> Tensor:
        """Put the values of all slots into one tensor.

        Args:
            x: The elements.
            combines: The values of the combines.

        Shapes:
            - **x:** ``(num_elements, d)``
            - **combines:** ``(>= num_combines, d)``
            - **output:** ``(num_slots, d)``
        """
        leaves = x if self.leaves is None else x.index_select(0, self.leaves)
        return torch.cat([leaves, combines[: self.num_combines]])

    @remembered
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

    @remembered
    def pairs(self) -> tuple[Tensor, Tensor]:
        """The slots of all combines' operands."""
        left, right, _ = (torch.cat(part) for part in zip(*self._nodes(), strict=True))
        return left, right

    @remembered
    def level_ptr(self) -> Tensor:
        """Where each level's combines begin; last, how many there are."""
        return torch.tensor([start - self.num_elements for *_, start in self.levels] + [self.num_combines])

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
        if tree not in groups.schedules:
            with torch.inference_mode(False):
                groups.schedules[tree] = replace(_build(groups.ptr, tree), leaves=groups.perm)
        return groups.schedules[tree]

    def build() -> TreePlan:
        generator = torch.Generator(groups.ptr.device).manual_seed(seed)
        order = shuffled(groups, generator)
        plan = _build(groups.ptr, "random", generator)
        return replace(plan, leaves=order)

    content = groups.ptr if groups.perm is None else torch.cat([groups.ptr, groups.perm])
    return _RANDOM_PLANS.get(content, (seed, groups.num_groups), build, 96 * groups.num_elements)


def clear_cache() -> None:
    """Forget all remembered random trees."""
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
