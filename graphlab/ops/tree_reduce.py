"""Tree reduction with any binary cell."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from graphlab.ops.double_backward import differentiate_again
from graphlab.ops.tree_plan import TreePlan

# Two batches of states, then parameters.
Cell = Callable[..., Tensor]


def tree_reduce(x: Tensor, plan: TreePlan, cell: Cell, params: Sequence[Tensor] = ()) -> Tensor:
    r"""Fold any binary cell over each group's tree; the backward pass computes each level again.

    .. math::
        s_j = \text{cell}(s_{l_j}, s_{r_j}), \qquad s_{0 \dots E-1} = x

    Only the states are kept for the backward pass, :math:`O((E + N) d)`, whatever the cell computes inside. Asking for
    second derivatives takes the plain autograd path, which keeps everything.

    Args:
        x: The elements.
        plan: The schedule; see :func:`graphlab.ops.tree_plan.tree_plan`.
        cell: Maps two batches of states, and then the parameters, to a batch of states. Must treat its rows
            independently, and give the same result when it is called again.
        params: The parameters; what else ``cell`` may use gets no gradient.

    Returns:
        The value of every combine; ``plan.results`` reads each group's out of it.

    Shapes:
        - **x:** ``(num_elements, d)``
        - **output:** ``(plan.num_combines, d)``

    Raises:
        ValueError: ``cell`` does not keep the shape of its operands.
    """
    return _TreeReduce.apply(x, plan, cell, *params)


def fold(x: Tensor, plan: TreePlan, cell: Cell, params: Sequence[Tensor] = ()) -> Tensor:
    """The specification of :func:`tree_reduce`: plain autograd, level by level.

    Args:
        x: The elements.
        plan: The schedule.
        cell: Maps two batches of states, and then the parameters, to a batch of states.
        params: The parameters.

    Shapes:
        - **x:** ``(num_elements, d)``
        - **output:** ``(plan.num_combines, d)``
    """
    made = x.new_empty(0, x.size(1))
    for left, right, _ in plan.operands:
        made = torch.cat([made, _combine(cell, left.read(x, made), right.read(x, made), params)])
    return made


def _combine(cell: Cell, a: Tensor, b: Tensor, params: Sequence[Tensor]) -> Tensor:
    out = cell(a, b, *params)
    if out.shape != a.shape:
        raise ValueError(
            f"'cell' must map two states of shape {tuple(a.shape)} to one of the same shape, got {tuple(out.shape)}"
        )
    return out


class _TreeReduce(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, plan: TreePlan, cell: Cell, *params: Tensor) -> Tensor:
        made = x.new_empty(plan.num_combines, x.size(1))
        for left, right, start in plan.operands:
            out = _combine(cell, left.read(x, made), right.read(x, made), params)
            made[start : start + out.size(0)] = out
        ctx.plan, ctx.cell = plan, cell
        ctx.save_for_backward(x, made, *params)
        return made

    @staticmethod
    def backward(ctx, grad_made: Tensor) -> tuple:  # pyright: ignore
        x, made, *params = ctx.saved_tensors
        if torch.is_grad_enabled():
            grads = differentiate_again(lambda x, *p: [fold(x, ctx.plan, ctx.cell, p)], [grad_made], [x, *params])
            return (grads[0], None, None, *grads[1:])
        # As an output it remembers this very function; taken as it is, each level would differentiate all of it again.
        x, made = x.detach(), made.detach()
        params = [p.detach().requires_grad_(p.requires_grad) for p in params]
        # A leaf that is a group of its own has no parent to write its gradient.
        grad_x, grad = torch.zeros_like(x), grad_made.clone()
        wanted = [p for p in params if p.requires_grad]
        sums = [torch.zeros_like(p) for p in wanted]
        for left, right, start in reversed(ctx.plan.operands):
            with torch.enable_grad():
                a, b = (side.read(x, made).requires_grad_() for side in (left, right))
                out = ctx.cell(a, b, *params)
            seed = grad[start : start + out.size(0)]
            if not out.requires_grad:
                continue
            found = torch.autograd.grad(out, [a, b, *wanted], seed, allow_unused=True)
            for side, g in zip((left, right), found[:2], strict=True):
                if g is not None:
                    side.write(g, grad_x, grad, add=True)
            for total, g in zip(sums, found[2:], strict=True):
                if g is not None:
                    total.add_(g)
        done = iter(sums)
        return (grad_x, None, None, *(next(done) if p.requires_grad else None for p in params))
