"""The Binary-GRU tree: a commutative learnable cell folded over each group's own balanced tree."""

from itertools import pairwise

import torch
from torch import Tensor

from graphlab.ops.double_backward import differentiate_again
from graphlab.ops.groups import make_groups, one_of
from graphlab.ops.tree_plan import Places, TreePlan, tree_plan
from graphlab.ops.tree_reduce import fold

# Pairs per tile: small enough that the gates of a tile stay in a core's second-level cache.
TILE = 1024


def binary_gru(a: Tensor, b: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    r"""The commutative combine of two states, differentiable as often as one likes.

    .. math::
        a \circ b = \tfrac12 \left( \mathrm{GRUCell}(a, b) + \mathrm{GRUCell}(b, a) \right)

    From Ong and Veličković, "Learnable Commutative Monoids for Graph Neural Networks", 2022, arXiv 2212.08541.

    Args:
        a: First operands.
        b: Second operands.
        weight_ih: Input weights of the cell, rows in the order reset, update, new.
        weight_hh: Hidden weights of the cell.
        bias_ih: Input biases.
        bias_hh: Hidden biases.

    Shapes:
        - **a, b, output:** ``(*, d)``
        - **weight_ih, weight_hh:** ``(3 * d, d)``
        - **bias_ih, bias_hh:** ``(3 * d,)``
    """
    one = _gru_cell(a, b, weight_ih, weight_hh, bias_ih, bias_hh)
    other = _gru_cell(b, a, weight_ih, weight_hh, bias_ih, bias_hh)
    return 0.5 * (one + other)


def _gru_cell(x: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    reset_i, update_i, new_i = torch.nn.functional.linear(x, weight_ih, bias_ih).chunk(3, -1)
    reset_h, update_h, new_h = torch.nn.functional.linear(h, weight_hh, bias_hh).chunk(3, -1)
    new = torch.tanh(new_i + torch.sigmoid(reset_i + reset_h) * new_h)
    return torch.lerp(new, h, torch.sigmoid(update_i + update_h))


def tree_reduce_lcm(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    identity: Tensor,
    index: Tensor | None = None,
    ptr: Tensor | None = None,
    dim_size: int = 0,
    tree: str = "carry",
    seed: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Fold :func:`binary_gru` over a balanced binary tree of each group's elements.

    .. math::
        y_i = x_{i_1} \circ x_{i_2} \circ \dots \circ x_{i_n}, \qquad y_i = e \text{ if } n = 0

    No group is padded: there are exactly :math:`E - N_{\neq\emptyset}` combines in
    :math:`\lceil \log_2 \max_i n_i \rceil` levels. One combine costs :math:`16 d^2` FLOP instead of
    :math:`24 d^2`: the gates of both orders are :math:`u \pm v` with
    :math:`u = \tfrac12 (W_i + W_h)(a + b)` and :math:`v = \tfrac12 (W_i - W_h)(a - b)`. Memory is
    :math:`O((E + N) d)`: gates are computed again in the backward pass.

    Args:
        x: The elements.
        weight_ih: Input weights of the cell, rows in the order reset, update, new.
        weight_hh: Hidden weights of the cell.
        bias_ih: Input biases.
        bias_hh: Hidden biases.
        identity: The value of an empty group.
        index: The group of each element, in any order.
        ptr: The boundaries of groups stored one after the other; wins over ``index``.
        dim_size: The number of groups.
        tree: ``"carry"`` or ``"halving"``; see :func:`graphlab.ops.tree_plan.tree_plan`.
        seed: One integer that draws element order and tree shape at random; ``None`` for the fixed tree.

    Returns:
        The result of each group, and the value of every combine (see :class:`graphlab.ops.tree_plan.TreePlan`); rows past
        the last combine hold nothing.

    Shapes:
        - **x:** ``(num_elements, batch * d)``; each of the ``batch`` parts of a row is folded on its own.
        - **identity:** ``(d,)``
        - **output:** ``(dim_size, batch * d)`` and ``(num_elements, batch * d)``

    Raises:
        ValueError: ``index`` or ``ptr`` is malformed, or ``tree`` is unknown.
    """
    groups, is_ptr = one_of(index, ptr)
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    return torch.ops.graphlab.tree_reduce_lcm(x, *weights, identity, groups, is_ptr, dim_size, tree, seed)


def tree_reduce_lcm_ref(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    identity: Tensor,
    ptr: Tensor,
    tree: str = "carry",
) -> Tensor:
    """The specification of :func:`tree_reduce_lcm` for groups given by ``ptr``: one recursion per group.

    Args:
        x: The elements, group after group.
        weight_ih: Input weights of the cell.
        weight_hh: Hidden weights of the cell.
        bias_ih: Input biases.
        bias_hh: Hidden biases.
        identity: The value of an empty group.
        ptr: The boundaries of the groups.
        tree: ``"carry"`` or ``"halving"``.

    Shapes:
        - **x:** ``(num_elements, d)``
        - **output:** ``(num_groups, d)``
    """

    def reduce(low: int, high: int) -> Tensor:
        size = high - low
        if size <= 1:
            return x[low] if size else identity
        half = (size + 1) // 2 if tree == "halving" else 1 << ((size - 1).bit_length() - 1)
        left, right = reduce(low, low + half), reduce(low + half, high)
        return binary_gru(left, right, weight_ih, weight_hh, bias_ih, bias_hh)

    bounds = ptr.tolist()
    rows = [reduce(low, high) for low, high in pairwise(bounds)]
    return torch.stack(rows) if rows else x.new_empty(0, x.size(-1))


def _plan(x: Tensor, groups: Tensor, is_ptr: bool, dim_size: int, tree: str, seed: Tensor | None) -> TreePlan:
    index, ptr = (None, groups) if is_ptr else (groups, None)
    made = make_groups(index, ptr, dim_size, x.size(0))
    return tree_plan(made, tree, None if seed is None else int(seed))


class _Algebra:
    """The cell's weights, rearranged so that both orders of a pair share their products."""

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> None:
        self.d = d = weight_ih.size(1)
        self.plus = 0.5 * (weight_ih[: 2 * d] + weight_hh[: 2 * d])
        self.minus = 0.5 * (weight_ih[: 2 * d] - weight_hh[: 2 * d])
        self.bias_gates = bias_ih[: 2 * d] + bias_hh[: 2 * d]
        self.new = torch.cat([weight_ih[2 * d :], weight_hh[2 * d :]])
        self.bias_new = torch.cat([bias_ih[2 * d :], bias_hh[2 * d :]])
        self.plus_t, self.minus_t, self.new_t = (w.t().contiguous() for w in (self.plus, self.minus, self.new))

    def gates(self, a: Tensor, b: Tensor, s: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the gates of both orders and the products for the new states of both operands."""
        u = torch.addmm(self.bias_gates, s, self.plus_t)
        v = torch.mm(d, self.minus_t)
        one = torch.add(u, v).sigmoid_()
        other = u.sub_(v).sigmoid_()
        return (
            one,
            other,
            torch.addmm(self.bias_new, a, self.new_t),
            torch.addmm(self.bias_new, b, self.new_t),
        )


def _tiles(plan: TreePlan, backwards: bool = False) -> list[tuple[Places, Places, slice]]:
    tiles = []
    for left, right, start in plan.operands:
        count = left.elements.numel()
        for low in range(0, count, TILE):
            rows = slice(low, min(low + TILE, count))
            tiles.append((left[rows], right[rows], slice(start + rows.start, start + rows.stop)))
    return tiles[::-1] if backwards else tiles


@torch.library.custom_op("graphlab::tree_reduce_lcm", mutates_args=())
def _forward(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    identity: Tensor,
    groups: Tensor,
    is_ptr: bool,
    dim_size: int,
    tree: str,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor]:
    plan = _plan(x, groups, is_ptr, dim_size, tree, seed)
    cell = _Algebra(weight_ih, weight_hh, bias_ih, bias_hh)
    d = cell.d
    # There are fewer combines than elements; how many fewer depends on the groups, which compiled code does not know.
    made = x.new_empty(x.size(0), x.size(1))
    for left, right, rows in _tiles(plan):
        a, b = (side.read(x, made).view(-1, d) for side in (left, right))
        one, other, pre_a, pre_b = cell.gates(a, b, a + b, a - b)
        new_one = torch.addcmul(pre_a[:, :d], one[:, :d], pre_b[:, d:]).tanh_()
        new_other = torch.addcmul(pre_b[:, :d], other[:, :d], pre_a[:, d:]).tanh_()
        total = torch.lerp(new_one, b, one[:, d:]).add_(torch.lerp(new_other, a, other[:, d:]))
        torch.mul(total, 0.5, out=made[rows].view(-1, d))
    return plan.results(x, made, identity), made


@_forward.register_fake
def _(x, weight_ih, weight_hh, bias_ih, bias_hh, identity, groups, is_ptr, dim_size, tree, seed):
    return x.new_empty(dim_size, x.size(1)), x.new_empty(x.size(0), x.size(1))


@torch.library.custom_op("graphlab::tree_reduce_lcm_backward", mutates_args=())
def _backward(
    grad_out: Tensor,
    grad_made: Tensor | None,
    x: Tensor,
    made: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    groups: Tensor,
    is_ptr: bool,
    dim_size: int,
    tree: str,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    plan = _plan(x, groups, is_ptr, dim_size, tree, seed)
    cell = _Algebra(weight_ih, weight_hh, bias_ih, bias_hh)
    grads = _Gradients(cell)
    # Every element, and every combine but the roots, is written by the one combine that read it.
    grad_x = torch.empty_like(x)
    grad = x.new_empty(plan.num_combines, x.size(1)) if grad_made is None else grad_made[: plan.num_combines].clone()
    add = grad_made is not None
    at_roots = grad_out if plan.full is None else grad_out.index_select(0, plan.full)
    plan.roots.write(at_roots, grad_x, grad, add)
    for left, right, rows in _tiles(plan, backwards=True):
        a, b = (side.read(x, made).view(-1, cell.d) for side in (left, right))
        grad_pair = grads.add_tile(a, b, grad[rows].view(-1, cell.d))
        for side, g in zip((left, right), grad_pair, strict=True):
            side.write(g.view(-1, x.size(1)), grad_x, grad, add)
    grad_identity = grad_out.index_select(0, plan.empty).view(-1, cell.d).sum(0)
    return grad_x, *grads.of_cell(), grad_identity


@_backward.register_fake
def _(grad_out, grad_made, x, made, weight_ih, weight_hh, bias_ih, bias_hh, groups, is_ptr, dim_size, tree, seed):
    grads = [torch.empty_like(w) for w in (x, weight_ih, weight_hh, bias_ih, bias_hh)]
    return *grads, x.new_empty(weight_ih.size(1))


class _Gradients:
    """Sums the gradients of the rearranged weights over tiles."""

    def __init__(self, cell: _Algebra) -> None:
        self.cell = cell
        self.plus, self.minus, self.new, self.bias_gates, self.bias_new = (
            torch.zeros_like(w) for w in (cell.plus, cell.minus, cell.new, cell.bias_gates, cell.bias_new)
        )

    def add_tile(self, a: Tensor, b: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Add a tile's weight gradients; return the gradients of its operands."""
        cell, d = self.cell, self.cell.d
        total, difference = a + b, a - b
        one, other, pre_a, pre_b = cell.gates(a, b, total, difference)
        half = grad * 0.5
        gates_one, new_one, hidden_one, grad_b = _order_backward(one, pre_a[:, :d], pre_b[:, d:], b, half)
        gates_other, new_other, hidden_other, grad_a = _order_backward(other, pre_b[:, :d], pre_a[:, d:], a, half)
        grad_u, grad_v = gates_one + gates_other, gates_one.sub_(gates_other)
        pre_grad_a = torch.cat([new_one, hidden_other], 1)
        pre_grad_b = torch.cat([new_other, hidden_one], 1)
        self.plus.addmm_(grad_u.t(), total)
        self.minus.addmm_(grad_v.t(), difference)
        self.new.addmm_(pre_grad_a.t(), a).addmm_(pre_grad_b.t(), b)
        self.bias_gates.add_(grad_u.sum(0))
        self.bias_new.add_(pre_grad_a.sum(0)).add_(pre_grad_b.sum(0))
        grad_sum, grad_difference = torch.mm(grad_u, cell.plus), torch.mm(grad_v, cell.minus)
        grad_a.addmm_(pre_grad_a, cell.new).add_(grad_sum).add_(grad_difference)
        grad_b.addmm_(pre_grad_b, cell.new).add_(grad_sum).sub_(grad_difference)
        return grad_a, grad_b

    def of_cell(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the gradients of ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``."""
        d = self.cell.d
        return (
            torch.cat([0.5 * (self.plus + self.minus), self.new[:d]]),
            torch.cat([0.5 * (self.plus - self.minus), self.new[d:]]),
            torch.cat([self.bias_gates, self.bias_new[:d]]),
            torch.cat([self.bias_gates, self.bias_new[d:]]),
        )


def _order_backward(
    gates: Tensor, new_i: Tensor, new_h: Tensor, h: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Differentiate one GRU cell: gradients of its gates, of both parts of the new state, and of ``h`` directly."""
    reset, update = gates.chunk(2, 1)
    new = torch.addcmul(new_i, reset, new_h).tanh_()
    grad_h = grad * update
    grad_new = (grad - grad_h).mul_(1 - new * new)
    grad_update = (h - new).mul_(grad_h).mul_(1 - update)
    grad_hidden = grad_new * reset
    grad_reset = (grad_hidden * new_h).mul_(1 - reset)
    return torch.cat([grad_reset, grad_update], 1), grad_new, grad_hidden, grad_h


def _setup_context(ctx, inputs, output) -> None:
    (
        x,
        weight_ih,
        weight_hh,
        bias_ih,
        bias_hh,
        identity,
        groups,
        ctx.is_ptr,
        ctx.dim_size,
        ctx.tree,
        seed,
    ) = inputs
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(x, weight_ih, weight_hh, bias_ih, bias_hh, identity, groups, seed, output[1])


def _differentiate(ctx, grad_out: Tensor | None, grad_made: Tensor | None) -> tuple:
    x, *weights, identity, groups, seed, made = ctx.saved_tensors
    key = (groups, ctx.is_ptr, ctx.dim_size, ctx.tree, seed)
    if grad_out is None and grad_made is None:
        return (None,) * 11
    if torch.is_grad_enabled():
        grads = _differentiable_backward(x, weights, identity, key, grad_out, grad_made)
    else:
        dense = made.new_zeros(ctx.dim_size, made.size(1)) if grad_out is None else grad_out.contiguous()
        grads = torch.ops.graphlab.tree_reduce_lcm_backward(dense, grad_made, x, made, *weights, *key)
    return (*grads, None, None, None, None, None)


def _differentiable_backward(
    x: Tensor,
    weights: list[Tensor],
    identity: Tensor,
    key: tuple[Tensor, bool, int, str, Tensor | None],
    grad_out: Tensor | None,
    grad_made: Tensor | None,
) -> list[Tensor | None]:
    """A backward pass that can be differentiated again: through plain autograd, level by level."""
    width = identity.numel()

    def cell(a: Tensor, b: Tensor) -> Tensor:
        return binary_gru(a.view(-1, width), b.view(-1, width), *weights).view_as(a)

    plan = _plan(x, *key)
    made = fold(x, plan, cell)
    held = None if grad_made is None else grad_made[: made.size(0)]
    return differentiate_again([plan.results(x, made, identity), made], [grad_out, held], [x, *weights, identity])


_forward.register_autograd(_differentiate, setup_context=_setup_context)
