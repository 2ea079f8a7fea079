"""Learnable commutative monoid aggregation over balanced trees."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.dropout import _DropoutNd

from graphlab.aggr.base import GroupedAggregation, apply_wide, wide
from graphlab.ops.binary_gru import binary_gru
from graphlab.ops.groups import make_groups
from graphlab.ops.tree_plan import TREES, TreePlan, tree_plan
from graphlab.ops.tree_reduce import fold, tree_reduce
from graphlab.ops.tree_reduce_lcm import tree_reduce_lcm


class TreeLCMAggregation(GroupedAggregation):
    r"""Folds a learnable commutative binary cell over each group's own balanced binary tree.

    .. math::
        y_i = x_{i_1} \circ x_{i_2} \circ \dots \circ x_{i_n}, \qquad
        a \circ b = \tfrac12 \left( \mathrm{GRUCell}(a, b) + \mathrm{GRUCell}(b, a) \right), \qquad
        y_i = e \text{ if } n = 0

    From Ong and Veličković, "Learnable Commutative Monoids for Graph Neural Networks", 2022, arXiv 2212.08541. Unlike
    :class:`torch_geometric.nn.aggr.LCMAggregation` it never pads: a result depends on its own group only, there are
    :math:`E - N` combines in :math:`\lceil \log_2 n_{\max} \rceil` levels, and memory is :math:`O((E + N) d)`. On
    groups of equal size both give the same result with the same weights, and checkpoints can be exchanged.

    Args:
        in_channels: Size of each element; -1 takes it from the first input.
        out_channels: Size of each result; ``None`` for ``in_channels``.
        project: Whether elements first go through a linear layer and a ReLU.
        tree: Shape of the tree: ``"carry"`` pairs neighbours and carries an odd last one up; ``"halving"`` splits in
            the middle, so that the depths of leaves differ by one at most.
        random_pairing: Whether training draws the order of elements and the shape of the tree anew at each call, which
            teaches the cell to be associative at no cost. Evaluation always uses ``tree``.
        associativity: Weight :math:`\lambda` of :meth:`associativity_loss` in the penalty that a forward pass in
            training leaves for :func:`graphlab.aggr.penalty`. Like the next one, it breaks a compiled graph.
        max_triples: How many triples that loss draws at random per forward pass where there are more; ``None`` for all.
        commutativity: Weight of :meth:`commutativity_loss` in that penalty; of use with a ``cell`` that is not
            commutative by itself.
        cell: Any map of two batches of states, ``(pairs, out_channels)`` each, to a batch of states, in place of the
            Binary-GRU. Must treat rows independently. A module's parameters are trained and never reset from here; not
            available under ``torch.compile(fullgraph=True)``.

    Shapes:
        - **x:** ``(*, num_elements, in_channels)``
        - **index:** ``(num_elements,)``, in any order, or **ptr:** ``(dim_size + 1,)``
        - **output:** ``(*, dim_size, out_channels)``

    Raises:
        ValueError: An argument is out of range, or the sizes differ and ``project`` is ``False``.

    Example:
        >>> import torch
        >>> from graphlab.aggr import TreeLCMAggregation
        >>> aggr = TreeLCMAggregation(16, 32)
        >>> aggr(torch.randn(5, 16), torch.tensor([2, 0, 0, 2, 2]), dim_size=4).shape
        torch.Size([4, 32])
    """

    lin: nn.Linear | None
    gru_cell: nn.GRUCell
    identity: nn.Parameter

    def __init__(
        self,
        in_channels: int = -1,
        out_channels: int | None = None,
        project: bool = True,
        tree: str = "carry",
        random_pairing: bool = False,
        associativity: float = 0.0,
        max_triples: int | None = None,
        commutativity: float = 0.0,
        cell: Callable[[Tensor, Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels)
        if tree not in TREES:
            raise ValueError(f"'tree' must be one of {', '.join(map(repr, TREES))}, got {tree!r}")
        for name, value in (("associativity", associativity), ("commutativity", commutativity)):
            if not 0 <= value < math.inf:
                raise ValueError(f"'{name}' must be a weight >= 0, got {value!r}")
        if max_triples is not None and max_triples < 1:
            raise ValueError(f"'max_triples' must be at least 1, or None for all, got {max_triples!r}")
        self.project, self.tree, self.random_pairing = project, tree, random_pairing
        self.associativity, self.commutativity = associativity, commutativity
        self.max_triples, self.cell = max_triples, cell
        self._finish()

    def build(self, in_channels: int, out_channels: int) -> None:
        """Make projection, cell and identity.

        Args:
            in_channels: Size of each element.
            out_channels: Size of each result.
        """
        if in_channels != out_channels and not self.project:
            raise ValueError(
                f"'out_channels' must equal in_channels={in_channels} without projection, got {out_channels}; "
                "use 'project=True'"
            )
        self.lin = nn.Linear(in_channels, out_channels) if self.project else None
        if self.cell is None:
            self.gru_cell = nn.GRUCell(out_channels, out_channels)
        self.identity = nn.Parameter(torch.zeros(out_channels))

    def reset_parameters(self) -> None:
        """Draw our parameters anew, not those of a user's cell; the identity starts at zero, as a sum's."""
        for module in (self.lin, None if self.cell is not None else self.gru_cell):
            if module is not None and self.in_channels != -1:
                module.reset_parameters()
        if self.in_channels != -1:
            nn.init.zeros_(self.identity)

    def aggregate(self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int) -> Tensor:
        """Project the elements, fold each group's tree, and leave the penalty.

        Args:
            rows: The elements.
            index: The group of each row.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
        """
        seed = torch.randint(2**62, (1,)) if self.training and self.random_pairing else None
        states = self._project(rows)
        out, made = self._fold(states, index, ptr, dim_size, seed)
        if self.training and (self.associativity or self.commutativity):
            plan = self._plan(rows.size(0), index, ptr, dim_size, seed)
            self.last_penalty = self._penalty(plan.slots(states, made), plan)
        return out

    def combine(self, a: Tensor, b: Tensor) -> Tensor:
        r"""Return :math:`a \circ b`.

        Args:
            a: First states.
            b: Second states.

        Shapes:
            - **a, b, output:** ``(*, out_channels)``
        """
        if self.cell is not None:
            return self._run_cell(a, b)
        return binary_gru(a, b, *self._weights(a))

    def lift(self, x: Tensor) -> Tensor:
        """Turn elements into the states that :meth:`combine` takes.

        Args:
            x: The elements.

        Shapes:
            - **x:** ``(num_elements, in_channels)``
            - **output:** ``(num_elements, out_channels)``
        """
        return self._project(x)

    def triples(
        self, x: Tensor, index: Tensor | None = None, ptr: Tensor | None = None, dim_size: int | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        r"""Return the neighbouring subtree states :math:`(a, b, c)` inside each group's tree.

        A node :math:`(a \circ b) \circ (c \circ d)` gives :math:`(a, b, c)` and :math:`(b, c, d)`; a node
        :math:`(a \circ b) \circ c` with a leaf :math:`c` gives :math:`(a, b, c)`.

        Args:
            x: The elements.
            index: The group of each element.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.

        Shapes:
            - **x:** ``(num_elements, in_channels)``
            - **output:** three times ``(num_triples, out_channels)``
        """
        slots, plan = self._slots(x, index, ptr, dim_size)
        a, b, c = (slots.index_select(0, at) for at in plan.triples)
        return a, b, c

    def associativity_loss(
        self,
        x: Tensor,
        index: Tensor | None = None,
        ptr: Tensor | None = None,
        dim_size: int | None = None,
        max_triples: int | None = None,
    ) -> Tensor:
        r"""Mean squared deviation from associativity over the triples of the trees (appendix E of the paper).

        .. math::
            \mathcal{L}_\text{assoc} = \operatorname{mean}_{(a, b, c)} \| (a \circ b) \circ c - a \circ (b \circ c) \|^2

        Args:
            x: The elements.
            index: The group of each element.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.
            max_triples: How many triples to draw at random where there are more; ``None`` for all.

        Shapes:
            - **x:** ``(num_elements, in_channels)``
            - **output:** ``()``
        """
        slots, plan = self._slots(x, index, ptr, dim_size)
        return self._associativity(slots, plan, max_triples)

    def commutativity_loss(
        self, x: Tensor, index: Tensor | None = None, ptr: Tensor | None = None, dim_size: int | None = None
    ) -> Tensor:
        r"""Mean squared deviation from commutativity over the nodes of the trees (appendix E of the paper).

        .. math::
            \mathcal{L}_\text{comm} = \operatorname{mean}_{(a, b)} \| a \circ b - b \circ a \|^2

        Args:
            x: The elements.
            index: The group of each element.
            ptr: The boundaries of the groups.
            dim_size: The number of groups.

        Shapes:
            - **x:** ``(num_elements, in_channels)``
            - **output:** ``()``
        """
        slots, plan = self._slots(x, index, ptr, dim_size)
        return self._commutativity(slots, plan)

    def options(self) -> dict[str, Any]:
        """Return what ``repr`` shows after the sizes."""
        return {"project": self.project, "tree": repr(self.tree), "random_pairing": self.random_pairing}

    def sizes_in(self, state: dict[str, Tensor]) -> tuple[int, int]:
        """Read the sizes off a checkpoint; one of PyG's ``LCMAggregation`` will do.

        Args:
            state: The parameters by name.
        """
        out_channels = state["identity" if self.cell else "gru_cell.weight_hh"].size(-1)
        return state["lin.weight"].size(1) if self.project else out_channels, out_channels

    def _project(self, rows: Tensor) -> Tensor:
        if self.lin is None:
            return rows
        projected = apply_wide(self.lin, rows.view(-1, self.in_channels)).relu()
        return projected.view(rows.size(0), rows.size(1) // self.in_channels * projected.size(1))

    def _weights(self, like: Tensor) -> list[Tensor]:
        cell = self.gru_cell
        return wide(cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh, like=like)

    def _fold(
        self, rows: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int, seed: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        (identity,) = wide(self.identity, like=rows)
        if self.cell is None:
            weights = self._weights(rows)
            return tree_reduce_lcm(
                rows, *weights, identity=identity, index=index, ptr=ptr, dim_size=dim_size, tree=self.tree, seed=seed
            )
        plan = self._plan(rows.size(0), index, ptr, dim_size, seed)
        made = self._fold_cell(rows, plan)
        return plan.results(rows, made, identity), made

    def _fold_cell(self, rows: Tensor, plan: TreePlan) -> Tensor:
        assert self.cell is not None
        if not isinstance(self.cell, nn.Module) or _draws(self.cell):
            # Nobody knows what a plain function closes over, and dropout would be drawn anew: nothing is recomputed.
            return fold(rows, plan, self._by_part)
        named = self._cell_parameters(rows)
        return tree_reduce(rows, plan, partial(self._by_part, names=tuple(named)), list(named.values()))

    def _by_part(self, a: Tensor, b: Tensor, *parameters: Tensor, names: tuple[str, ...] = ()) -> Tensor:
        given = dict(zip(names, parameters, strict=True)) if names else None
        parts = (a.reshape(-1, self.out_channels), b.reshape(-1, self.out_channels))
        return self._run_cell(*parts, given).reshape(a.shape)

    def _run_cell(self, a: Tensor, b: Tensor, parameters: dict[str, Tensor] | None = None) -> Tensor:
        assert self.cell is not None
        if not isinstance(self.cell, nn.Module):
            return self.cell(a, b)
        return functional_call(self.cell, self._cell_parameters(a) if parameters is None else parameters, (a, b))

    def _cell_parameters(self, like: Tensor) -> dict[str, Tensor]:
        assert isinstance(self.cell, nn.Module)
        return {name: p.to(like.dtype) for name, p in self.cell.named_parameters()}

    def _plan(
        self, length: int, index: Tensor | None, ptr: Tensor | None, dim_size: int, seed: Tensor | None
    ) -> TreePlan:
        groups = make_groups(index, ptr, dim_size, length)
        return tree_plan(groups, self.tree, None if seed is None else int(seed))

    def _slots(
        self, x: Tensor, index: Tensor | None, ptr: Tensor | None, dim_size: int | None
    ) -> tuple[Tensor, TreePlan]:
        groups = self.groups(x, index, ptr, dim_size)
        plan = tree_plan(groups, self.tree)
        rows = x if groups.perm is None else x.index_select(0, groups.perm)
        states = self._project(rows)
        _, made = self._fold(states, None, groups.ptr, groups.num_groups, None)
        return replace(plan, leaves=None).slots(states, made), plan

    def _penalty(self, slots: Tensor, plan: TreePlan) -> Tensor:
        total = slots.new_zeros(())
        if self.associativity:
            total = total + self.associativity * self._associativity(slots, plan, self.max_triples)
        if self.commutativity:
            total = total + self.commutativity * self._commutativity(slots, plan)
        return total

    def _associativity(self, slots: Tensor, plan: TreePlan, max_triples: int | None) -> Tensor:
        places = plan.triples
        count = places[0].numel()
        if count == 0:
            return slots.new_zeros(())
        if max_triples is not None and count > max_triples:
            drawn = torch.randperm(count, device=slots.device)[:max_triples]
            places = tuple(place[drawn] for place in places)
        a, b, c = (slots.index_select(0, at).view(-1, self.out_channels) for at in places)
        ab, bc = self.combine(torch.cat([a, b]), torch.cat([b, c])).chunk(2)
        left, right = self.combine(torch.cat([ab, a]), torch.cat([c, bc])).chunk(2)
        return (left - right).square().sum(1).mean()

    def _commutativity(self, slots: Tensor, plan: TreePlan) -> Tensor:
        places = plan.pairs
        if places[0].numel() == 0:
            return slots.new_zeros(())
        a, b = (slots.index_select(0, at).view(-1, self.out_channels) for at in places)
        return (self.combine(a, b) - self.combine(b, a)).square().sum(1).mean()


def _draws(cell: nn.Module) -> bool:
    return cell.training and any(isinstance(module, _DropoutNd) for module in cell.modules())
