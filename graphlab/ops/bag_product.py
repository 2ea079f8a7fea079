"""Matrix products of pair features inside bags of nodes."""

import torch
from torch import Tensor

from graphlab.ops.bag_pairs import check_indices
from graphlab.ops.op import Op
from graphlab.ops.precision import widened


def bag_product(
    a: Tensor,
    b: Tensor,
    node_ptr: Tensor,
    pair: Tensor,
    weight: Tensor | None = None,
    transpose_a: bool = False,
    transpose_b: bool = False,
) -> Tensor:
    r"""Multiply pair features as matrices inside each bag, channel by channel, and add the products up over the bags.

    .. math::
        y_{ij} = \sum_{v :\, i, j \in S_v} w_v \sum_{k \in S_v} a_{ik} \odot b_{kj}

    where :math:`S_v` are the bags: the product of Provably Powerful Graph Networks (Maron, Ben-Hamu, Serviansky,
    Lipman, 2019, arXiv 1905.11136) on each of them alone. Nothing of the size of all bags' pairs times channels is
    made; the derivatives, of any order, are products of the same kind. Same bits for any number of threads.

    Args:
        a: The left feature of each pair; half precision is added up in float32.
        b: The right feature of each pair, of the same type.
        node_ptr: Where the nodes of each bag begin.
        pair: The number of the pair at each two places of each bag, see :class:`graphlab.ops.BagPairs`.
        weight: The weight :math:`w_v` of each bag, which gets no gradient; ``None`` for 1.
        transpose_a: Whether to read :math:`a_{ki}` in place of :math:`a_{ik}`.
        transpose_b: Whether to read :math:`b_{jk}` in place of :math:`b_{kj}`.

    Shapes:
        - **a:** ``(num_pairs, channels)``
        - **b:** ``(num_pairs, channels)``
        - **node_ptr:** ``(num_bags + 1,)``
        - **weight:** ``(num_bags,)``
        - **output:** ``(num_pairs, channels)``

    Raises:
        ValueError, RuntimeError: An argument is wrong.

    Example:
        >>> import torch
        >>> from graphlab.ops import bag_pairs, bag_product
        >>> node_ptr = torch.tensor([0, 2])
        >>> pairs = bag_pairs(torch.tensor([0, 1]), node_ptr, num_nodes=2)  # (0, 0), (1, 1), (0, 1), (1, 0)
        >>> x = torch.tensor([[1.0], [4.0], [2.0], [3.0]])  # the matrix ((1, 2), (3, 4))
        >>> bag_product(x, x, node_ptr, pairs.pair).flatten().tolist()
        [7.0, 22.0, 10.0, 15.0]
    """
    _check_features(a, b)
    check_indices(node_ptr, "node_ptr")
    check_indices(pair, "pair")
    if weight is not None:
        if torch.is_grad_enabled() and weight.requires_grad:
            raise ValueError("'weight' gets no gradient, but requires one; give weight.detach()")
        weight = widened(weight.to(a.dtype))
    out = bag_product_op(node_ptr.long(), pair, weight, widened(a), widened(b), transpose_a, transpose_b)
    return out.to(a.dtype)


def _check_features(a: Tensor, b: Tensor) -> None:
    if a.dim() != 2 or not a.is_floating_point():
        raise ValueError(f"'a' must be a matrix of floats, one row per pair, got {a.dtype} of shape {tuple(a.shape)}")
    if b.shape != a.shape or b.dtype != a.dtype:
        raise ValueError(
            f"'b' must be {a.dtype} of shape {tuple(a.shape)}, as 'a' is, got {b.dtype} of shape {tuple(b.shape)}"
        )


def bag_product_ref(
    node_ptr: Tensor,
    pair: Tensor,
    weight: Tensor | None,
    a: Tensor,
    b: Tensor,
    transpose_a: bool,
    transpose_b: bool,
) -> Tensor:
    """The specification of :func:`bag_product`: gather all bags of one size, multiply, add up where they belong.

    Args:
        node_ptr: Where the nodes of each bag begin.
        pair: The number of the pair at each two places of each bag.
        weight: The weight of each bag.
        a: The left features.
        b: The right features.
        transpose_a: Whether the left features are read transposed.
        transpose_b: Whether the right features are read transposed.
    """
    size = node_ptr.diff()
    begin = (size * size).cumsum(0) - size * size
    wide_a, wide_b = widened(a), widened(b)
    out = torch.zeros_like(wide_a)
    for m in size[size > 0].unique().tolist():
        bags = (size == m).nonzero().squeeze(1)
        place = torch.arange(m * m, device=pair.device)
        at = pair[begin[bags].unsqueeze(1) + place].long().view(-1, m, m)
        left = wide_a[at.mT if transpose_a else at].movedim(3, 1)
        right = wide_b[at.mT if transpose_b else at].movedim(3, 1)
        product = (left @ right).movedim(1, 3)
        if weight is not None:
            product = product * widened(weight)[bags].view(-1, 1, 1, 1)
        out.index_add_(0, at.reshape(-1), product.reshape(at.numel(), a.size(1)))
    return out.to(a.dtype)


def _setup(ctx, inputs, output) -> None:
    node_ptr, pair, weight, a, b, ctx.transpose_a, ctx.transpose_b = inputs
    ctx.save_for_backward(node_ptr, pair, weight, a, b)


def _backward(ctx, grad: Tensor) -> tuple:
    r"""Of :math:`Y = A B`: :math:`\bar A = \bar Y B^T` and :math:`\bar B = A^T \bar Y`, transposed where they are."""
    *bags, a, b = ctx.saved_tensors
    turned_a, turned_b = ctx.transpose_a, ctx.transpose_b
    grad_a = grad_b = None
    if ctx.needs_input_grad[3]:
        operands = (b, grad, turned_b, True) if turned_a else (grad, b, False, not turned_b)
        grad_a = bag_product_op(*bags, *operands)
    if ctx.needs_input_grad[4]:
        operands = (grad, a, True, turned_a) if turned_b else (a, grad, not turned_a, False)
        grad_b = bag_product_op(*bags, *operands)
    return None, None, None, grad_a, grad_b, None, None


bag_product_op = Op(
    "bag_product",
    "(Tensor node_ptr, Tensor pair, Tensor? weight, Tensor a, Tensor b, bool transpose_a, bool transpose_b) -> Tensor",
    values=3,
    reference=bag_product_ref,
    fake=lambda node_ptr, pair, weight, a, b, transpose_a, transpose_b: a.new_empty(a.shape),
    setup=_setup,
    backward=_backward,
    dtypes=(torch.float32, torch.float64),
)
