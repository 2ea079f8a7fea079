"""An LSTM over each group's own elements, never padded."""

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


def segment_lstm(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    initial_cell: Tensor,
    index: Tensor | None = None,
    ptr: Tensor | None = None,
    dim_size: int = 0,
    seed: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Run an LSTM over the elements of each group, in the order in which they are stored.

    .. math::
        (h_0, c_0) = s, \qquad (h_t, c_t) = \mathrm{LSTMCell}(x_{i_t}, h_{t-1}, c_{t-1}), \qquad y_i = h_{n_i}

    Each group runs for its own length, so that time and memory, forward and backward, are :math:`O(E)`. Gates are
    computed again in the backward pass.

    Args:
        x: The elements.
        weight_ih: Input weights, rows in the order input, forget, cell, output.
        weight_hh: Hidden weights.
        bias_ih: Input biases.
        bias_hh: Hidden biases.
        initial: The hidden state before the first element, and the result of an empty group.
        initial_cell: The cell state before the first element.
        index: The group of each element, in any order.
        ptr: The boundaries of groups stored one after the other; wins over ``index``.
        dim_size: The number of groups.
        seed: One integer that draws a random order inside each group; ``None`` for the stored order.

    Returns:
        The last hidden state of each group, and hidden and cell states at each packed position (see
        :class:`graphlab.ops.step_plan.StepPlan`).

    Shapes:
        - **x:** ``(num_elements, batch * in_channels)``; each of the ``batch`` parts of a row runs on its own.
        - **initial, initial_cell:** ``(d,)``
        - **output:** ``(dim_size, batch * d)``, ``(num_elements, batch * d)`` and ``(num_elements, batch * d)``

    Raises:
        ValueError: ``index`` or ``ptr`` is malformed, or ``x`` has the wrong width.
    """
    check_width(x, "in_channels", weight_ih.size(1))
    groups, is_ptr = one_of(index, ptr)
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    return torch.ops.graphlab.segment_lstm(x, *weights, initial, initial_cell, groups, is_ptr, dim_size, seed)


def segment_lstm_ref(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    initial_cell: Tensor,
    ptr: Tensor,
) -> Tensor:
    """The specification of :func:`segment_lstm` for groups given by ``ptr``: one loop per group.

    Args:
        x: The elements, group after group.
        weight_ih: Input weights.
        weight_hh: Hidden weights.
        bias_ih: Input biases.
        bias_hh: Hidden biases.
        initial: The hidden state before the first element.
        initial_cell: The cell state before the first element.
        ptr: The boundaries of the groups.

    Shapes:
        - **x:** ``(num_elements, in_channels)``
        - **output:** ``(num_groups, d)``
    """
    rows = []
    for low, high in zip(ptr[:-1].tolist(), ptr[1:].tolist(), strict=True):
        state = [initial.unsqueeze(0), initial_cell.unsqueeze(0)]
        for i in range(low, high):
            state = torch.lstm_cell(x[i : i + 1], state, weight_ih, weight_hh, bias_ih, bias_hh)
        rows.append(state[0])
    return torch.cat(rows) if rows else x.new_empty(0, initial.numel())


@torch.library.custom_op("graphlab::segment_lstm", mutates_args=())
def _forward(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    initial_cell: Tensor,
    groups: Tensor,
    is_ptr: bool,
    dim_size: int,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    plan = plan_of(x.size(0), (groups, is_ptr, dim_size, seed))
    if has_kernel(x):
        weights = [weight_ih, weight_hh, bias_ih, bias_hh, initial, initial_cell]
        return torch.ops.graphlab.recurrence_forward(x, *plan.tensors, dim_size, *weights)
    d, batch = weight_hh.size(1), x.size(1) // weight_ih.size(1)
    states, cells = (x.new_empty(x.size(0), batch * d) for _ in range(2))
    weight_ih_t, weight_hh_t, bias = (
        weight_ih.t().contiguous(),
        weight_hh.t().contiguous(),
        bias_ih + bias_hh,
    )
    before = 0
    for chunk in plan.chunks:
        inputs = input_products(x, plan, chunk, weight_ih_t, bias)
        for step, (offset, size) in enumerate(chunk.steps):
            if chunk.first and step == 0:
                h, c = (s.expand(size * batch, d) for s in (initial, initial_cell))
            else:
                h, c = (s[before : before + size].view(-1, d) for s in (states, cells))
            low = (offset - chunk.begin) * batch
            pre = inputs[low : low + size * batch].addmm_(h, weight_hh_t)
            _activate(pre)
            c_new = cells[offset : offset + size].view(-1, d)
            torch.mul(pre[:, d : 2 * d], c, out=c_new).addcmul_(pre[:, :d], pre[:, 2 * d : 3 * d])
            torch.mul(pre[:, 3 * d :], c_new.tanh(), out=states[offset : offset + size].view(-1, d))
            before = offset
    return plan.scatter(states.index_select(0, plan.last), initial), states, cells


def _activate(gates: Tensor) -> None:
    """Turn pre-activations of input, forget, cell and output gates into gates, in place."""
    d = gates.size(1) // 4
    gates[:, : 2 * d].sigmoid_()
    gates[:, 2 * d : 3 * d].tanh_()
    gates[:, 3 * d :].sigmoid_()


@_forward.register_fake
def _(x, weight_ih, weight_hh, bias_ih, bias_hh, initial, initial_cell, groups, is_ptr, dim_size, seed):
    width = x.size(1) // weight_ih.size(1) * weight_hh.size(1)
    return (
        x.new_empty(dim_size, width),
        x.new_empty(x.size(0), width),
        x.new_empty(x.size(0), width),
    )


@torch.library.custom_op("graphlab::segment_lstm_backward", mutates_args=())
def _backward(
    grad_out: Tensor,
    grad_states: Tensor | None,
    grad_cells: Tensor | None,
    x: Tensor,
    states: Tensor,
    cells: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor,
    bias_hh: Tensor,
    initial: Tensor,
    initial_cell: Tensor,
    groups: Tensor,
    is_ptr: bool,
    dim_size: int,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    plan = plan_of(x.size(0), (groups, is_ptr, dim_size, seed))
    if has_kernel(x):
        weights = [weight_ih, weight_hh, bias_ih, bias_hh, initial, initial_cell]
        grads = [grad_out, grad_states, grad_cells]
        return torch.ops.graphlab.recurrence_backward(*grads, states, cells, x, *plan.tensors, *weights)
    d, batch = weight_hh.size(1), x.size(1) // weight_ih.size(1)
    weight_ih_t, bias = weight_ih.t().contiguous(), bias_ih + bias_hh
    grad_x, grad_ih, grad_hh = (
        torch.empty_like(x),
        torch.zeros_like(weight_ih),
        torch.zeros_like(weight_hh),
    )
    grad_bias = torch.zeros_like(bias)
    # The gradients of the states that each rank holds at the step in hand.
    grad_h = grad_out.index_select(0, plan.order)
    grad_c = torch.zeros_like(grad_h)
    for chunk in reversed(plan.chunks):
        pre = input_products(x, plan, chunk, weight_ih_t, bias)
        h, c = (previous_states(s, s0, plan, chunk) for s, s0 in ((states, initial), (cells, initial_cell)))
        c_new = cells[chunk.begin : chunk.end].view(-1, d)
        local, through, forget = _local_derivatives(pre.addmm_(h, weight_hh.t()), c, c_new)
        for offset, size in reversed(chunk.steps):
            rows_h, rows_c = (g[chunk.row : chunk.row + size] for g in (grad_h, grad_c))
            for rows, outer in ((rows_h, grad_states), (rows_c, grad_cells)):
                if outer is not None:
                    rows.add_(outer[offset : offset + size])
            gh, gc = rows_h.view(-1, d), rows_c.view(-1, d)
            span = slice((offset - chunk.begin) * batch, (offset - chunk.begin + size) * batch)
            gc.addcmul_(gh, through[span])
            step = local[span]
            step[:, :3].mul_(gc.unsqueeze(1))
            step[:, 3].mul_(gh)
            gc.mul_(forget[span])
            torch.mm(step.view(-1, 4 * d), weight_hh, out=gh)
        gates, at = local.view(-1, 4 * d), plan.gather[chunk.begin : chunk.end]
        grad_hh.addmm_(gates.t(), h)
        grad_ih.addmm_(gates.t(), x.index_select(0, at).view(-1, weight_ih.size(1)))
        grad_bias.add_(gates.sum(0))
        grad_x.index_copy_(0, at, torch.mm(gates, weight_ih).view(at.numel(), -1))
    at_empty = grad_out.index_select(0, plan.empty).view(-1, d).sum(0)
    grad_initial = grad_h.view(-1, d).sum(0) + at_empty
    return (
        grad_x,
        grad_ih,
        grad_hh,
        grad_bias,
        grad_bias.clone(),
        grad_initial,
        grad_c.view(-1, d).sum(0),
    )


def _local_derivatives(pre: Tensor, c: Tensor, c_new: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Derivatives of the states for the four gates, of the cell state through the hidden one, and the forget gate."""
    d = c.size(1)
    _activate(pre)
    enter, forget, value, leave = pre.split(d, 1)
    squashed = c_new.tanh()
    local = pre.new_empty(pre.size(0), 4, d)
    torch.mul(value * enter, 1 - enter, out=local[:, 0])
    torch.mul(c * forget, 1 - forget, out=local[:, 1])
    torch.mul(enter, 1 - value * value, out=local[:, 2])
    torch.mul(squashed * leave, 1 - leave, out=local[:, 3])
    return local, leave * (1 - squashed * squashed), forget


@_backward.register_fake
def _(
    grad_out, grad_states, grad_cells, x, states, cells, weight_ih, weight_hh, bias_ih, bias_hh, initial,
    initial_cell, groups, is_ptr, dim_size, seed,
):  # fmt: skip
    inputs = (x, weight_ih, weight_hh, bias_ih, bias_hh, initial, initial_cell)
    return tuple(torch.empty_like(t) for t in inputs)


def _cell(element: Tensor, states: tuple[Tensor, ...], *weights: Tensor) -> tuple[Tensor, ...]:
    return torch.lstm_cell(element, states, *weights)


make_differentiable(_forward, _backward, _cell, num_states=2)
