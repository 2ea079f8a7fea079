"""The Binary-GRU tree: a commutative learnable cell folded over each group's own balanced tree."""

from itertools import pairwise

import torch
from torch import Tensor

from graphlab.ops.autocast import in_float32
from graphlab.ops.binary_gru import Algebra, Gradients, binary_gru
from graphlab.ops.double_backward import differentiate_again
from graphlab.ops.groups import make_groups, one_of
from graphlab.ops.recurrence import check_width, has_kernel
from graphlab.ops.tree_plan import Places, TreePlan, tree_plan
from graphlab.ops.tree_reduce import fold

# Pairs per tile: small enough that the gates of a tile stay in a core's second-level cache.
TILE = 1024


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
    src: Tensor | None = None,
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
        x: The elements, or the rows that ``src`` takes them from.
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
        src: The row of ``x`` that each element is, such as an edge's source node; ``None`` where element ``i`` is row
            ``i``. The result is that for ``x[src]``, which the compiled kernels never make.

    Returns:
        The result of each group, and the value of every combine (see
        :class:`graphlab.ops.tree_plan.TreePlan`); rows past the last combine are zero.

    Shapes:
        - **x:** ``(num_elements, batch * d)``, any number of rows with ``src``; each of the ``batch`` parts of a row is
          folded on its own.
        - **src:** ``(num_elements,)``
        - **identity:** ``(d,)``
        - **output:** ``(dim_size, batch * d)`` and ``(num_elements, batch * d)``

    Raises:
        ValueError: ``index`` or ``ptr`` is malformed, ``x`` has the wrong width, ``src`` points outside it, or ``tree``
            is unknown.
    """
    check_width(x, "d", weight_hh.size(1))
    groups, is_ptr = one_of(index, ptr)
    weights = [weight_ih, weight_hh, bias_ih, bias_hh]
    return torch.ops.graphlab.tree_reduce_lcm(x, *weights, identity, groups, is_ptr, dim_size, tree, seed, src)


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


def _length(x: Tensor, src: Tensor | None) -> int:
    """The number of elements; refuses a ``src`` that points outside ``x``."""
    if src is None:
        return x.size(0)
    if src.dim() != 1 or src.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"'src' must be a vector of int64 or int32, got {src.dtype} of shape {tuple(src.shape)}; "
            "use 'src.view(-1).long()'"
        )
    if src.numel() and not 0 <= int(src.min()) <= int(src.max()) < x.size(0):
        raise ValueError(
            f"'src' must lie in [0, {x.size(0)}), the rows of 'x', got {int(src.min())} to {int(src.max())}"
        )
    return src.numel()


def _plan(length: int, groups: Tensor, is_ptr: bool, dim_size: int, tree: str, seed: Tensor | None) -> TreePlan:
    index, ptr = (None, groups) if is_ptr else (groups, None)
    made = make_groups(index, ptr, dim_size, length)
    return tree_plan(made, tree, None if seed is None else int(seed))


def _schedule(plan: TreePlan, src: Tensor | None) -> tuple[Tensor | None, ...]:
    """The plan as the kernels read it."""
    return None if src is None else src.long(), plan.leaves, *plan.pairs, plan.level_ptr, plan.root


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
    src: Tensor | None,
) -> tuple[Tensor, Tensor]:
    plan = _plan(_length(x, src), groups, is_ptr, dim_size, tree, seed)
    if has_kernel(x):
        weights = [weight_ih, weight_hh, bias_ih, bias_hh]
        return torch.ops.graphlab.lcm_forward(x, *_schedule(plan, src), *weights, identity)
    x = x if src is None else x.index_select(0, src)
    cell = Algebra(weight_ih, weight_hh, bias_ih, bias_hh)
    d = cell.d
    # There are fewer combines than elements; how many fewer depends on the groups, which compiled code does not know.
    made = x.new_empty(x.size(0), x.size(1))
    for left, right, rows in _tiles(plan):
        pair = torch.stack([side.read(x, made) for side in (left, right)]).view(2, -1, d)
        gates, new, _ = cell.activate(pair)
        # Each order keeps as much of its hidden operand as its update gate says.
        total = torch.lerp(new, pair.flip(0), gates[:, :, d:])
        torch.add(total[0], total[1], out=made[rows].view(-1, d)).mul_(0.5)
    made[plan.num_combines :].zero_()
    return plan.results(x, made, identity), made


@_forward.register_fake
def _(x, weight_ih, weight_hh, bias_ih, bias_hh, identity, groups, is_ptr, dim_size, tree, seed, src):
    return x.new_empty(dim_size, x.size(1)), x.new_empty((x if src is None else src).size(0), x.size(1))


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
    src: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    plan, rows_of_x = _plan(_length(x, src), groups, is_ptr, dim_size, tree, seed), x.size(0)
    if has_kernel(x):
        weights = [weight_ih, weight_hh, bias_ih, bias_hh]
        grad, *others = torch.ops.graphlab.lcm_backward(grad_out, grad_made, x, made, *_schedule(plan, src), *weights)
        return grad if src is None else _sum_of_elements(grad, src, rows_of_x), *others
    x = x if src is None else x.index_select(0, src)
    cell = Algebra(weight_ih, weight_hh, bias_ih, bias_hh)
    grads = Gradients(cell)
    # Every element, and every combine but the roots, is written by the one combine that read it.
    grad_x = torch.empty_like(x)
    grad = x.new_empty(plan.num_combines, x.size(1)) if grad_made is None else grad_made[: plan.num_combines].clone()
    add = grad_made is not None
    at_roots = grad_out if plan.full is None else grad_out.index_select(0, plan.full)
    plan.roots.write(at_roots, grad_x, grad, add)
    for left, right, rows in _tiles(plan, backwards=True):
        pair = torch.stack([side.read(x, made) for side in (left, right)]).view(2, -1, cell.d)
        grad_pair = grads.add_tile(pair, grad[rows].view(-1, cell.d))
        for side, g in zip((left, right), grad_pair, strict=True):
            side.write(g.view(-1, x.size(1)), grad_x, grad, add)
    grad_identity = grad_out.index_select(0, plan.empty).view(-1, cell.d).sum(0)
    if src is not None:
        grad_x = grad_x.new_zeros(rows_of_x, grad_x.size(1)).index_add_(0, src, grad_x)
    return grad_x, *grads.of_cell(), grad_identity


def _sum_of_elements(grad: Tensor, src: Tensor, size: int) -> Tensor:
    """Add up the gradients of the elements that are the same row of ``x``, in their order."""
    by_src = make_groups(src, None, size, src.numel())
    elements = torch.arange(src.numel()) if by_src.perm is None else by_src.perm
    nothing = [None] * 5
    return torch.ops.graphlab.gather_reduce(by_src.ptr, elements, *nothing, grad, "sum")[0]


@_backward.register_fake
def _(grad_out, grad_made, x, made, weight_ih, weight_hh, bias_ih, bias_hh, groups, is_ptr, dim_size, tree, seed, src):
    grads = [torch.empty_like(w) for w in (x, weight_ih, weight_hh, bias_ih, bias_hh)]
    return *grads, x.new_empty(weight_ih.size(1))


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
        src,
    ) = inputs
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(x, weight_ih, weight_hh, bias_ih, bias_hh, identity, groups, seed, src, output[1])


def _differentiate(ctx, grad_out: Tensor | None, grad_made: Tensor | None) -> tuple:
    x, *weights, identity, groups, seed, src, made = ctx.saved_tensors
    key = (groups, ctx.is_ptr, ctx.dim_size, ctx.tree, seed)
    if grad_out is None and grad_made is None:
        return (None,) * 12
    if torch.is_grad_enabled():
        grads = _differentiable_backward(x, weights, identity, key, src, grad_out, grad_made)
    else:
        dense = made.new_zeros(ctx.dim_size, made.size(1)) if grad_out is None else grad_out.contiguous()
        grads = torch.ops.graphlab.tree_reduce_lcm_backward(dense, grad_made, x, made, *weights, *key, src)
    return (*grads, *(None,) * 6)


def _differentiable_backward(
    x: Tensor,
    weights: list[Tensor],
    identity: Tensor,
    key: tuple[Tensor, bool, int, str, Tensor | None],
    src: Tensor | None,
    grad_out: Tensor | None,
    grad_made: Tensor | None,
) -> list[Tensor | None]:
    """A backward pass that can be differentiated again: through plain autograd, level by level."""
    width, plan = identity.numel(), _plan(_length(x, src), *key)

    def run(x: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        *weights, identity = parameters
        x = x if src is None else x.index_select(0, src)

        def cell(a: Tensor, b: Tensor) -> Tensor:
            return binary_gru(a.view(-1, width), b.view(-1, width), *weights).view_as(a)

        made = fold(x, plan, cell)
        return plan.results(x, made, identity), made

    held = None if grad_made is None else grad_made[: plan.num_combines]
    return differentiate_again(run, [grad_out, held], [x, *weights, identity])


_forward.register_autograd(_differentiate, setup_context=_setup_context)
for _op in (_forward, _backward):
    in_float32(_op)
