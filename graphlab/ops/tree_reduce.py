"""Tree reduction with any binary cell."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from graphlab.ops.double_backward import differentiate_again
from graphlab.ops.tree_plan import TreePlan

Cell = Callable[[Tensor, Tensor], Tensor]


def tree_reduce(x: Tensor, plan: TreePlan, cell: Cell, params: Sequence[Tensor] = ()) -> Tensor:
    r"""Fold any binary cell over each group's tree; the backward pass computes each level again.

    .. math::
        s_j = \text{cell}(s_{l_j}, s_{r_j}), \qquad s_{0 \dots E-1} = x

    Only the slots are kept for the backward pass, :math:`O((E + N) d)`, whatever the cell computes inside. Asking for
    second derivatives takes the plain autograd path, which keeps everything.

    Args:
        x: The elements.
        plan: The schedule; see :func:`graphlab.ops.tree_plan.tree_plan`.
        cell: Maps two batches of states to a batch of states; must treat its rows independently.
        params: The tensors inside ``cell`` that want a gradient.

    Returns:
        The value of every slot: the leaves in group order, then the combines.

    Shapes:
        - **x:** ``(num_elements, d)``
        - **output:** ``(plan.num_slots, d)``

    Raises:
        ValueError: ``cell`` does not keep the shape of its operands.
    """
    return _TreeReduce.apply(x, plan, cell, *params)


def fold(x: Tensor, plan: TreePlan, cell: Cell) -> Tensor:
    """The specification of :func:`tree_reduce`: plain autograd, level by level.

    Args:
        x: The elements.
        plan: The schedule.
        cell: Maps two batches of states to a batch of states.

    Shapes:
        - **x:** ``(num_elements, d)``
        - **output:** ``(plan.num_slots, d)``
    """
    slots = x if plan.leaves is None else x.index_select(0, plan.leaves)
    for left, right, _ in plan.levels:
        slots = torch.cat([slots, _combine(cell, slots.index_select(0, left), slots.index_select(0, right))])
    return slots


def _combine(cell: Cell, a: Tensor, b: Tensor) -> Tensor:
    out = cell(a, b)
    if out.shape != a.shape:
        raise ValueError(
            f"'cell' must map two states of shape {tuple(a.shape)} to one of the same shape, got {tuple(out.shape)}"
        )
    return out


class _TreeReduce(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, plan: TreePlan, cell: Cell, *params: Tensor) -> Tensor:
        slots = x.new_empty(plan.num_slots, x.size(1))
        slots[: plan.num_elements] = x if plan.leaves is None else x.index_select(0, plan.leaves)
        for left, right, start in plan.levels:
            made = _combine(cell, slots.index_select(0, left), slots.index_select(0, right))
            slots[start : start + left.numel()] = made
        ctx.plan, ctx.cell = plan, cell
        ctx.save_for_backward(x, slots, *params)
        return slots

    @staticmethod
    def backward(ctx, grad_slots: Tensor) -> tuple:  # pyright: ignore
        x, slots, *params = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _again(ctx, x, params, grad_slots)
        # As an output it remembers this very function; taken as it is, each level would differentiate all of it again.
        slots = slots.detach()
        grad, sums = grad_slots.clone(), [torch.zeros_like(p) for p in params]
        for left, right, start in reversed(ctx.plan.levels):
            with torch.enable_grad():
                a, b = (slots.index_select(0, at).requires_grad_() for at in (left, right))
                out = ctx.cell(a, b)
            seed = grad[start : start + left.numel()]
            found = torch.autograd.grad(out, [a, b, *params], seed, allow_unused=True)
            for at, g in zip((left, right), found[:2], strict=True):
                if g is not None:
                    grad.index_add_(0, at, g)
            for total, g in zip(sums, found[2:], strict=True):
                if g is not None:
                    total.add_(g)
        return (_to_elements(grad, ctx.plan), None, None, *sums)


def _again(ctx, x: Tensor, params: list[Tensor], grad_slots: Tensor) -> tuple:
    slots = fold(x, ctx.plan, ctx.cell)
    grads = differentiate_again([slots], [grad_slots], [x, *params])
    return (grads[0], None, None, *grads[1:])


def _to_elements(grad: Tensor, plan: TreePlan) -> Tensor:
    grad = grad[: plan.num_elements]
    return grad if plan.leaves is None else torch.empty_like(grad).index_copy_(0, plan.leaves, grad)
