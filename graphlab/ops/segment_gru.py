"""A GRU over each group's own elements, never padded."""

import torch
from torch import Tensor

from graphlab.ops.groups import one_of
from graphlab.ops.recurrence import (
    check_width,
    has_kernel,
    input_products,
    make_differentiable,
    plan_of,
    previous_states,
)


def segment_gru(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    index: Tensor | None = None,
    ptr: Tensor | None = None,
    dim_size: int = 0,
    seed: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Run a GRU over the elements of each group, in the order in which they are stored.

    .. math::
        h_0 = s, \qquad h_t = \mathrm{GRUCell}(x_{i_t}, h_{t-1}), \qquad y_i = h_{n_i}

    Each group runs for its own length, so that time and memory, forward and backward, are :math:`O(E)`. Gates are
    computed again in the backward pass.

    Args:
        x: The elements.
        weight_ih: Input weights, rows in the order reset, update, new.
        weight_hh: Hidden weights.
        bias_ih: Input biases.
        bias_hh: Hidden biases.
        initial: The state :math:`s` before the first element, and the result of an empty group.
        index: The group of each element, in any order.
        ptr: The boundaries of groups stored one after the other; wins over ``index``.
        dim_size: The number of groups.
        seed: One integer that draws a random order inside each group; ``None`` for the stored order.

    Returns:
        The last state of each group, and the state at each packed position (see
        :class:`graphlab.ops.step_plan.StepPlan`).

    Shapes:
        - **x:** ``(num_elements, batch * in_channels)``; each of the ``batch`` parts of a row runs on its own.
        - **initial:** ``(d,)``
        - **output:** ``(dim_size, batch * d)`` and ``(num_elements, batch * d)``

    Raises:
        ValueError: ``index`` or ``ptr`` is malformed, or ``x`` has the wrong width.
    """
    check_width(x, "in_channels", weight_ih.size(1))
    groups, is_ptr = one_of(index, ptr)
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    return torch.ops.graphlab.segment_gru(x, *weights, initial, groups, is_ptr, dim_size, seed)


def segment_gru_ref(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    ptr: Tensor,
) -> Tensor:
    """The specification of :func:`segment_gru` for groups given by ``ptr``: one loop per group.

    Args:
        x: The elements, group after group.
        weight_ih: Input weights.
        weight_hh: Hidden weights.
        bias_ih: Input biases.
        bias_hh: Hidden biases.
        initial: The state before the first element.
        ptr: The boundaries of the groups.

    Shapes:
        - **x:** ``(num_elements, in_channels)``
        - **output:** ``(num_groups, d)``
    """
    rows = []
    for low, high in zip(ptr[:-1].tolist(), ptr[1:].tolist(), strict=True):
        state = initial.unsqueeze(0)
        for i in range(low, high):
            state = torch.gru_cell(x[i : i + 1], state, weight_ih, weight_hh, bias_ih, bias_hh)
        rows.append(state)
    return torch.cat(rows) if rows else x.new_empty(0, initial.numel())


@torch.library.custom_op("graphlab::segment_gru", mutates_args=())
def _forward(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    groups: Tensor,
    is_ptr: bool,
    dim_size: int,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor]:
    plan = plan_of(x.size(0), (groups, is_ptr, dim_size, seed))
    if has_kernel(x):
        weights = [weight_ih, weight_hh, bias_ih, bias_hh, initial]
        return torch.ops.graphlab.recurrence_forward(x, *plan.tensors, dim_size, *weights, None)[:2]
    d, batch = weight_hh.size(1), x.size(1) // weight_ih.size(1)
    states = x.new_empty(x.size(0), batch * d)
    weight_ih_t, weight_hh_t = weight_ih.t().contiguous(), weight_hh.t().contiguous()
    before = 0
    for chunk in plan.chunks:
        inputs = input_products(x, plan, chunk, weight_ih_t, bias_ih)
        for step, (offset, size) in enumerate(chunk.steps):
            if chunk.first and step == 0:
                h = initial.expand(size * batch, d)
            else:
                h = states[before : before + size].view(-1, d)
            low = (offset - chunk.begin) * batch
            pre = inputs[low : low + size * batch]
            hidden = torch.addmm(bias_hh, h, weight_hh_t)
            gates = torch.add(pre[:, : 2 * d], hidden[:, : 2 * d]).sigmoid_()
            new = torch.addcmul(pre[:, 2 * d :], gates[:, :d], hidden[:, 2 * d :]).tanh_()
            torch.lerp(new, h, gates[:, d:], out=states[offset : offset + size].view(-1, d))
            before = offset
    return plan.scatter(states.index_select(0, plan.last), initial), states


@_forward.register_fake
def _(x, weight_ih, weight_hh, bias_ih, bias_hh, initial, groups, is_ptr, dim_size, seed):
    width = x.size(1) // weight_ih.size(1) * weight_hh.size(1)
    return x.new_empty(dim_size, width), x.new_empty(x.size(0), width)


@torch.library.custom_op("graphlab::segment_gru_backward", mutates_args=())
def _backward(
    grad_out: Tensor,
    grad_states: Tensor | None,
    x: Tensor,
    states: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    groups: Tensor,
    is_ptr: bool,
    dim_size: int,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    plan = plan_of(x.size(0), (groups, is_ptr, dim_size, seed))
    if has_kernel(x):
        weights = [weight_ih, weight_hh, bias_ih, bias_hh, initial]
        grads = [grad_out, grad_states, None]
        none = states.new_empty(0, states.size(1))
        return torch.ops.graphlab.recurrence_backward(*grads, states, none, x, *plan.tensors, *weights, None)[:6]
    d, batch = weight_hh.size(1), x.size(1) // weight_ih.size(1)
    grad_x = torch.empty_like(x)
    grad_ih, grad_hh, grad_bias_ih, grad_bias_hh = (
        torch.zeros_like(w) for w in (weight_ih, weight_hh, bias_ih, bias_hh)
    )
    # The gradient of the state that each rank holds at the step in hand.
    grad = grad_out.index_select(0, plan.order)
    for chunk in reversed(plan.chunks):
        at = plan.gather[chunk.begin : chunk.end]
        elements = x.index_select(0, at).view(-1, weight_ih.size(1))
        h = previous_states(states, initial, plan, chunk)
        local, update = _local_derivatives(elements, h, weight_ih, weight_hh, bias_ih, bias_hh)
        for offset, size in reversed(chunk.steps):
            rows = grad[chunk.row : chunk.row + size]
            if grad_states is not None:
                rows.add_(grad_states[offset : offset + size])
            g, low = rows.view(-1, d), (offset - chunk.begin) * batch
            step = local[low : low + size * batch].mul_(g.unsqueeze(1)).view(-1, 4 * d)
            g.mul_(update[low : low + size * batch]).addmm_(step[:, : 3 * d], weight_hh)
        gates = local.view(-1, 4 * d)
        hidden, reset_update, new = gates[:, : 3 * d], gates[:, : 2 * d], gates[:, 3 * d :]
        grad_hh.addmm_(hidden.t(), h)
        grad_bias_hh.add_(hidden.sum(0))
        grad_ih[: 2 * d].addmm_(reset_update.t(), elements)
        grad_ih[2 * d :].addmm_(new.t(), elements)
        grad_bias_ih[2 * d :].add_(new.sum(0))
        back = torch.mm(reset_update, weight_ih[: 2 * d]).addmm_(new, weight_ih[2 * d :])
        grad_x.index_copy_(0, at, back.view(at.numel(), -1))
    grad_bias_ih[: 2 * d] = grad_bias_hh[: 2 * d]
    grad_initial = grad.view(-1, d).sum(0) + grad_out.index_select(0, plan.empty).view(-1, d).sum(0)
    return grad_x, grad_ih, grad_hh, grad_bias_ih, grad_bias_hh, grad_initial


def _local_derivatives(
    elements: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
) -> tuple[Tensor, Tensor]:
    """Derivatives of the new state for the gates reset, update, hidden new and input new; and the update gate.

    They do not depend on the incoming gradient, so that all steps of a chunk are done at once and the sequential part
    of the backward pass is one product per step.
    """
    d = h.size(1)
    pre = torch.addmm(bias_ih, elements, weight_ih.t())
    hidden = torch.addmm(bias_hh, h, weight_hh.t())
    gates = pre[:, : 2 * d].add_(hidden[:, : 2 * d]).sigmoid_()
    reset, update, hidden_new = gates[:, :d], gates[:, d:], hidden[:, 2 * d :]
    new = torch.addcmul(pre[:, 2 * d :], reset, hidden_new).tanh_()
    local = h.new_empty(h.size(0), 4, d)
    keep = 1 - update
    torch.mul(keep, 1 - new * new, out=local[:, 3])
    torch.mul(local[:, 3], reset, out=local[:, 2])
    torch.mul(h - new, keep.mul_(update), out=local[:, 1])
    torch.mul(local[:, 2] * hidden_new, 1 - reset, out=local[:, 0])
    return local, update


@_backward.register_fake
def _(
    grad_out,
    grad_states,
    x,
    states,
    weight_ih,
    weight_hh,
    bias_ih,
    bias_hh,
    initial,
    groups,
    is_ptr,
    dim_size,
    seed,
):
    return tuple(torch.empty_like(t) for t in (x, weight_ih, weight_hh, bias_ih, bias_hh, initial))


def _cell(element: Tensor, states: tuple[Tensor, ...], *weights: Tensor) -> tuple[Tensor, ...]:
    return (torch.gru_cell(element, states[0], *weights),)


make_differentiable(_forward, _backward, _cell, num_states=1)
