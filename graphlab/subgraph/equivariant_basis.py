"""All linear maps between tensors on nodes and node pairs that commute with permuting the nodes, one by one."""

import torch
from torch import Tensor

from graphlab.subgraph.bag_size import bag_size

_BELL = (1, 1, 2, 5, 15, 52)


def num_equivariant_maps(order_in: int, order_out: int, rooted: bool = False) -> int:
    """Count the maps of :func:`equivariant_basis`: the ways to partition the indices of input, output and root.

    Args:
        order_in: 0 for one vector per bag, 1 for one per node, 2 for one per ordered pair of nodes.
        order_out: Likewise.
        rooted: Whether node 0 is told apart from the others.

    Raises:
        ValueError: An order is none of 0, 1 and 2.

    Example:
        >>> from graphlab.subgraph import num_equivariant_maps
        >>> num_equivariant_maps(2, 2), num_equivariant_maps(2, 2, rooted=True)
        (15, 52)
    """
    for name, order in (("order_in", order_in), ("order_out", order_out)):
        if order not in (0, 1, 2):
            raise ValueError(f"'{name}' must be 0 (per bag), 1 (per node) or 2 (per pair of nodes), got {order!r}")
    return _BELL[order_in + order_out + rooted]


def equivariant_basis(
    x: Tensor, order_in: int, order_out: int, rooted: bool = False, num_nodes: int | None = None
) -> Tensor:
    r"""Apply each map of the basis of equivariant linear maps (Maron et al., 2019, arXiv 1812.09902).

    .. math::
        L(\pi X) = \pi L(X), \qquad
        d_i = X_{ii},\; r_i = \tfrac{1}{m} \sum_j X_{ij},\; c_j = \tfrac{1}{m} \sum_i X_{ij},\;
        \tau = \tfrac{1}{m} \sum_i d_i,\; t = \tfrac{1}{m} \sum_i r_i

    for all permutations of the ``m`` nodes or, where a bag has a root (node 0, written :math:`o`), all that leave it in
    its place. An input has matrices, vectors and scalars, and an output has places for them:

    ===== =========================== ===================================== =======================================
    order matrices                    vectors                               scalars
    ===== =========================== ===================================== =======================================
    2     :math:`X, X^\top`           :math:`d, r, c`; rooted also          :math:`\tau, t`; rooted also
                                      :math:`X_{\cdot o}, X_{o \cdot}`      :math:`c_o, r_o, X_{oo}`
    1                                 :math:`x`                             mean of ``x``; rooted also :math:`x_o`
    0                                                                       :math:`x`
    ===== =========================== ===================================== =======================================

    ===== =========================== ===================================== =======================================
    order matrix :math:`z_{ij}` to    vector :math:`z_i` to                 scalar :math:`z` to
    ===== =========================== ===================================== =======================================
    2     :math:`Y_{ij}`              :math:`Y_{ii}, Y_{i \cdot},           :math:`Y_{ii}`, all of :math:`Y`; rooted
                                      Y_{\cdot i}`; rooted also             also :math:`Y_{\cdot o}, Y_{o \cdot},
                                      :math:`Y_{io}, Y_{oi}`                Y_{oo}`
    1                                 :math:`Y_i`                           all of :math:`Y`; rooted also :math:`Y_o`
    0                                                                       :math:`Y`
    ===== =========================== ===================================== =======================================

    The order is: the matrices; all vectors to the first place, to the second, ...; all scalars to the first place, ...
    That makes 15 maps from order 2 to order 2, and 52 where there is a root. This is the slow, readable specification
    of :class:`EquivariantLinear`; bags of few nodes (fewer than both orders together) have equal maps among these.

    Args:
        x: Bags of ``m`` nodes each.
        order_in: 0, 1 or 2, the order of ``x``.
        order_out: 0, 1 or 2, the order of the result.
        rooted: Whether node 0 of each bag is told apart.
        num_nodes: ``m``, where ``x`` does not tell it.

    Shapes:
        - **x:** ``(num_bags, channels)``, ``(num_bags, m, channels)`` or ``(num_bags, m, m, channels)``
        - **output:** ``(num_bags, num_maps, channels)``, ``(num_bags, m, num_maps, channels)`` or
          ``(num_bags, m, m, num_maps, channels)``

    Raises:
        ValueError: An order is none of 0, 1 and 2, ``x`` is not of its order, or the number of nodes is missing.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import equivariant_basis
        >>> equivariant_basis(torch.tensor([[[1.0], [3.0]]]), 1, 1)[0, :, :, 0].tolist()
        [[1.0, 2.0], [3.0, 2.0]]
    """
    num_equivariant_maps(order_in, order_out, rooted)
    eye = torch.eye(bag_size(x, order_in, order_out, num_nodes), dtype=x.dtype, device=x.device)
    matrices, vectors, scalars = _pieces(x, order_in, rooted)
    maps = matrices if order_out == 2 else []
    maps += [torch.einsum(to, z, at) for to, at in _vector_places(eye, order_out, rooted) for z in vectors]
    maps += [torch.einsum(to, z, at) for to, at in _scalar_places(eye, order_out, rooted) for z in scalars]
    return torch.stack(maps, -2)


def _pieces(x: Tensor, order: int, rooted: bool) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Matrices, vectors and scalars of the input."""
    if order == 0:
        return [], [], [x]
    m = max(x.size(1), 1)
    root = slice(0, int(rooted))
    if order == 1:
        return [], [x], [x.sum(1) / m] + ([x[:, root].sum(1)] if rooted else [])
    d, r, c = torch.einsum("biic->bic", x), x.sum(2) / m, x.sum(1) / m
    vectors, scalars = [d, r, c], [d.sum(1) / m, r.sum(1) / m]
    if rooted:
        vectors += [x[:, :, root].sum(2), x[:, root].sum(1)]
        scalars += [c[:, root].sum(1), r[:, root].sum(1), d[:, root].sum(1)]
    return [x, x.transpose(1, 2)], vectors, scalars


def _vector_places(eye: Tensor, order: int, rooted: bool) -> list[tuple[str, Tensor]]:
    """Where vectors go: an equation, and the mask that it multiplies them by."""
    if order < 2:
        return [("bic,i->bic", torch.ones_like(eye.diagonal()))] if order else []
    places = [("bic,ij->bijc", eye), ("bic,ij->bijc", torch.ones_like(eye)), ("bjc,ij->bijc", torch.ones_like(eye))]
    at_root = eye[:1].expand_as(eye)
    return places + ([("bic,ij->bijc", at_root), ("bjc,ij->bijc", at_root.t())] if rooted else [])


def _scalar_places(eye: Tensor, order: int, rooted: bool) -> list[tuple[str, Tensor]]:
    """Where scalars go, likewise."""
    if order < 2:
        masks = [torch.ones_like(eye.diagonal()), eye[:, :1].sum(1)]
        return [("bc,i->bic", mask) for mask in masks[: 1 + rooted]] if order else [("bc,->bc", eye.new_ones(()))]
    at_root = eye[:1].expand_as(eye)
    masks = [eye, torch.ones_like(eye)] + ([at_root, at_root.t(), at_root * at_root.t()] if rooted else [])
    return [("bc,ij->bijc", mask) for mask in masks]
