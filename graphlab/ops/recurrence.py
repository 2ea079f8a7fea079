"""What the ragged recurrences share: finding their schedule, and the plain unrolled form behind second derivatives."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from graphlab.ops.autocast import in_float32
from graphlab.ops.double_backward import differentiate_again
from graphlab.ops.groups import make_groups
from graphlab.ops.kernels import native
from graphlab.ops.step_plan import Chunk, StepPlan, step_plan

# A recurrence's groups as its op receives them: index or ptr, which of the two, number of groups, seed.
Key = tuple[Tensor, bool, int, Tensor | None]


def plan_of(length: int, key: Key) -> StepPlan:
    """Find or make the schedule.

    Args:
        length: The number of elements.
        key: The groups as an op receives them.
    """
    groups, is_ptr, dim_size, seed = key
    index, ptr = (None, groups) if is_ptr else (groups, None)
    return step_plan(make_groups(index, ptr, dim_size, length), None if seed is None else int(seed))


def has_kernel(x: Tensor) -> bool:
    """Tell whether compiled kernels carry the states of a tree or a recurrence: in full precision, on the CPU.

    Args:
        x: The elements.
    """
    return native(x) and x.dtype in (torch.float32, torch.float64)


def check_width(x: Tensor, name: str, channels: int) -> None:
    """Refuse rows that do not hold whole parts.

    Args:
        x: The elements.
        name: What a part's width is called.
        channels: The width of a part.

    Raises:
        ValueError: ``x`` is no matrix, or its width is no multiple of ``channels``.
    """
    if x.dim() != 2 or x.size(1) % channels:
        raise ValueError(f"'x' must be a matrix with a multiple of {name}={channels} columns, got {tuple(x.shape)}")


def unroll(
    x: Tensor,
    plan: StepPlan,
    cell: Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, ...]],
    initial: tuple[Tensor, ...],
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Run a recurrence by plain autograd, one step of all groups at a time; differentiable as often as one likes.

    Args:
        x: The elements.
        plan: The schedule.
        cell: Maps elements and states to states, row by row.
        initial: The states before the first element.

    Returns:
        The last states of each rank, and the states at each packed position.

    Shapes:
        - **x:** ``(num_elements, in_channels)``
        - **initial:** ``(d,)`` each
        - **output:** ``(num_ranks, d)`` and ``(num_elements, d)``
    """
    states = tuple(s.expand(plan.size.numel(), -1) for s in initial)
    made, places = [], []
    for step in range(int(plan.size[0]) if plan.size.numel() else 0):
        running = int((plan.size > step).sum())
        place = plan.position[plan.begin[:running] + step]
        new = cell(x.index_select(0, plan.gather[place]), tuple(s[:running] for s in states))
        states = tuple(torch.cat([n, s[running:]]) for n, s in zip(new, states, strict=True))
        made.append(new)
        places.append(place)
    if not made:
        return states, tuple(x.new_empty(0, s.numel()) for s in initial)
    order = torch.argsort(torch.cat(places))
    packed = tuple(torch.cat(column).index_select(0, order) for column in zip(*made, strict=True))
    return states, packed


def input_products(x: Tensor, plan: StepPlan, chunk: Chunk, weight_ih_t: Tensor, bias: Tensor) -> Tensor:
    """Return the input's part of a chunk's gates: one product for all of its steps.

    Args:
        x: The elements.
        plan: The schedule.
        chunk: The chunk.
        weight_ih_t: Transposed input weights.
        bias: Added to each row.

    Shapes:
        - **weight_ih_t:** ``(in_channels, gates)``
        - **output:** ``(batch * chunk_elements, gates)``
    """
    elements = x.index_select(0, plan.gather[chunk.begin : chunk.end]).view(-1, weight_ih_t.size(0))
    return torch.addmm(bias, elements, weight_ih_t)


def previous_states(states: Tensor, initial: Tensor, plan: StepPlan, chunk: Chunk) -> Tensor:
    """Return the state before each element of a chunk.

    Args:
        states: The state at each packed position.
        initial: The state before the first element.
        plan: The schedule.
        chunk: The chunk.

    Shapes:
        - **states:** ``(num_elements, batch * d)``
        - **output:** ``(batch * chunk_elements, d)``
    """
    d = initial.numel()
    h = states.index_select(0, plan.previous[chunk.begin : chunk.end].clamp(min=0)).view(-1, d)
    if chunk.first:
        h[: chunk.steps[0][1] * (states.size(1) // d)] = initial
    return h


def by_batch(x: Tensor, run: Callable[[Tensor], tuple[Tensor, ...]], channels: int) -> list[Tensor]:
    """Run a recurrence on each part of rows that hold several, and put the parts side by side again.

    Args:
        x: Rows of ``batch`` parts.
        run: The recurrence on one part.
        channels: The width of one part.

    Shapes:
        - **x:** ``(num_elements, batch * channels)``
    """
    parts = [run(part) for part in x.split(channels, 1)]
    return [torch.cat(column, 1) for column in zip(*parts, strict=True)]


def make_differentiable(
    op: Any,
    backward: Any,
    cell: Callable[..., tuple[Tensor, ...]],
    num_states: int,
) -> None:
    """Give a recurrence's op its derivatives: fast ones, and those of its unrolled form where they are differentiated.

    Args:
        op: Maps elements, weights, initial states and groups to results and to each of the states.
        backward: Maps their gradients, elements, states, weights, initial states and groups to gradients.
        cell: Maps elements, states and weights to states, row by row.
        num_states: How many states there are.
    """

    def unrolled(x: Tensor, *tensors: Tensor, key: Key) -> list[Tensor]:
        weights, initial = tensors[:-num_states], tensors[-num_states:]
        plan = plan_of(x.size(0), key)

        def run(part: Tensor) -> tuple[Tensor, ...]:
            last, packed = unroll(part, plan, lambda element, states: cell(element, states, *weights), initial)
            return plan.scatter(last[0], initial[0]), *packed

        return by_batch(x, run, weights[0].size(1))

    def setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, ...]) -> None:
        *tensors, groups, ctx.is_ptr, ctx.dim_size, seed = inputs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*output[1:], groups, seed, *tensors)

    def differentiate(ctx: Any, *grads_out: Tensor | None) -> tuple[Tensor | None, ...]:
        states, (groups, seed, *tensors) = ctx.saved_tensors[:num_states], ctx.saved_tensors[num_states:]
        key = (groups, ctx.is_ptr, ctx.dim_size, seed)
        if all(g is None for g in grads_out):
            grads = [None] * len(tensors)
        elif torch.is_grad_enabled():
            grads = differentiate_again(partial(unrolled, key=key), grads_out, tensors)
        else:
            grad_out, *of_states = grads_out
            dense = states[0].new_zeros(ctx.dim_size, states[0].size(1)) if grad_out is None else grad_out.contiguous()
            x, *weights = tensors
            grads = backward(dense, *of_states, x, *states, *weights, *key)
        return (*grads, None, None, None, None)

    op.register_autograd(differentiate, setup_context=setup_context)
    for part in (op, backward):
        in_float32(part)
