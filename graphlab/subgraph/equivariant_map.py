"""Equivariant linear maps in factored form: two matrix products for each pair of nodes, however large the basis."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from graphlab.subgraph.map_kind import MapKind
from graphlab.subgraph.map_pieces import place_pieces, take_pieces

# How many numbers of the input or output a CPU works on at a time: they and their like stay in its cache.
_BLOCK = 1 << 18


def equivariant_map(x: Tensor, weight: Tensor, bias: Tensor | None, kind: MapKind, num_nodes: int) -> Tensor:
    r"""Apply one combination of the equivariant maps, with sums in the place of means.

    .. math::
        Y_{ij} = (X W_1)_{ij} + (X W_2)_{ji} + a_i + b_j + g + \delta_{ij} (e_i + h)

    where the vectors ``a``, ``b`` and ``e`` are products of the vectors of ``X``, and ``g`` and ``h`` of its scalars.
    As it takes sums, the map with transposed weights is its own gradient, and derivatives of all orders cost what the
    map does: besides the results, a copy of a few bags at a time, or of ``x`` on other devices than a CPU.

    Args:
        x: A batch of bags.
        weight: One matrix for each map of :func:`equivariant_basis`, in its order, divided by the powers of the number
            of nodes that ``kind`` tells.
        bias: What is added to the scalars of the output.
        kind: What the map is between.
        num_nodes: The nodes of each bag.

    Shapes:
        - **x:** ``(num_bags, ..., in_channels)``
        - **weight:** ``(num_maps, in_channels, out_channels)``
        - **bias:** ``(num_scalars, out_channels)``
        - **output:** ``(num_bags, ..., out_channels)``
    """
    return _Map.apply(x, weight, bias, kind, num_nodes)  # pyright: ignore[reportReturnType]


class _Map(torch.autograd.Function):
    """Bilinear in ``x`` and ``weight``; ``_Products`` gives the gradient of ``weight``."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, kind: MapKind, num_nodes: int) -> Tensor:
        out = x.new_empty([x.size(0), *[num_nodes] * kind.order_out, weight.size(2)])
        weight = weight.to(torch.promote_types(x.dtype, torch.float))
        matrices, of_vectors, of_scalars = kind.factors(weight)
        matrices = matrices.to(x.dtype)
        for bags, target in _chunks(x, out):
            vectors, scalars = take_pieces(bags, kind.order_in, kind.rooted, num_nodes)
            vectors = _mix(vectors, of_vectors, (kind.vectors[1], weight.size(2)))
            scalars = _mix(scalars, of_scalars, (kind.scalars[1], weight.size(2)))
            scalars = scalars if bias is None else scalars.add_(bias)
            place_pieces(target, vectors, scalars, kind.order_out)
            for rows, columns, block in _blocks(bags, target) if len(matrices) else ():
                block.view(-1, weight.size(2)).addmm_(rows, matrices[0]).addmm_(columns, matrices[1])
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        x, weight, _, ctx.kind, ctx.num_nodes = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        kind, num_nodes = ctx.kind, ctx.num_nodes
        of_x, of_weight, of_bias = None, None, None
        if ctx.needs_input_grad[0]:
            of_x = _Map.apply(grad, kind.turned(weight), None, kind.back, num_nodes)
        if any(ctx.needs_input_grad[1:3]):
            of_weight, of_bias = _Products.apply(x, grad, kind, num_nodes)  # pyright: ignore[reportGeneralTypeIssues]
        return of_x, of_weight, of_bias if ctx.needs_input_grad[2] else None, None, None


class _Products(torch.autograd.Function):
    """Products of each piece of ``x`` with each piece of ``y``, and the sum of each scalar of ``y``, over all bags."""

    @staticmethod
    def forward(x: Tensor, y: Tensor, kind: MapKind, num_nodes: int) -> tuple[Tensor, Tensor]:
        # Many partial sums are added up in no less than float32.
        total = x.new_zeros(sum(kind.sections), x.size(-1), y.size(-1), dtype=torch.promote_types(x.dtype, torch.float))
        bias = total.new_zeros(kind.scalars[1], y.size(-1))
        matrices, of_vectors, of_scalars = kind.split(total)
        for bags, others in _chunks(x, y):
            pieces = take_pieces(bags, kind.order_in, kind.rooted, num_nodes)
            other_pieces = take_pieces(others, kind.order_out, kind.rooted, num_nodes)
            of_vectors += _products(pieces[0], other_pieces[0])
            of_scalars += _products(pieces[1], other_pieces[1])
            bias += other_pieces[1].sum(0)
            for rows, columns, block in _blocks(bags, others) if len(matrices) else ():
                block = block.reshape(-1, y.size(-1))
                matrices[0] += rows.t() @ block
                matrices[1] += columns.t() @ block
        return total, bias

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        x, y, ctx.kind, ctx.num_nodes = inputs
        ctx.save_for_backward(x, y)

    @staticmethod
    def backward(ctx: Any, weight: Tensor, bias: Tensor) -> tuple:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, y = ctx.saved_tensors
        kind, num_nodes = ctx.kind, ctx.num_nodes
        of_x, of_y = None, None
        if ctx.needs_input_grad[0]:
            of_x = _Map.apply(y, kind.turned(weight), None, kind.back, num_nodes)
        if ctx.needs_input_grad[1]:
            of_y = _Map.apply(x, weight, bias, kind, num_nodes)
        return of_x, of_y, None, None


def _mix(pieces: Tensor, weight: Tensor, places: tuple[int, int]) -> Tensor:
    """All pieces to all places, each of some channels, by one product."""
    return (pieces.flatten(0, -3).flatten(1) @ weight).view(*pieces.shape[:-2], *places)


def _products(x: Tensor, y: Tensor) -> Tensor:
    """Each piece of ``y`` with each of ``x``, summed over bags and nodes."""
    products = x.flatten(0, -3).flatten(1).t() @ y.flatten(0, -3).flatten(1)
    return products.view(*x.shape[-2:], *y.shape[-2:]).permute(2, 0, 1, 3)


def _chunks(x: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Some bags at a time."""
    numbers = max(x.numel(), y.numel()) // max(x.size(0), 1)
    step = max(1, _BLOCK // max(numbers, 1)) if x.device.type == "cpu" else max(x.size(0), 1)
    for i in range(0, x.size(0), step):
        yield x[i : i + step], y[i : i + step]


def _blocks(x: Tensor, y: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Rows and columns of ``x`` and rows of ``y``: of all bags, or of some nodes where one bag is a large one."""
    m, channels = x.size(1), x.size(-1)
    one_large = x.size(0) == 1 and x.device.type == "cpu"
    step = max(1, _BLOCK // max(1, m * max(channels, y.size(-1)))) if one_large else max(1, m)
    for i in range(0, m, step):
        rows, columns = x[:, i : i + step], x[:, :, i : i + step].transpose(1, 2)
        yield rows.reshape(-1, channels), columns.reshape(-1, channels), y[:, i : i + step]
