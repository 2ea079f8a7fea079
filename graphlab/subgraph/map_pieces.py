"""Vectors and scalars of tensors on nodes and node pairs, and putting such back: each the adjoint of the other."""

import torch
from torch import Tensor


def take_pieces(x: Tensor, order: int, rooted: bool, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Sum up a batch of bags to vectors and scalars, in no less than float32.

    Args:
        x: The bags.
        order: 0, 1 or 2.
        rooted: Whether to tell node 0 apart.
        num_nodes: The nodes of each bag.

    Shapes:
        - **x:** ``(num_bags, ..., channels)``
        - **output:** ``(num_bags, num_nodes, num_vectors, channels)``, ``(num_bags, num_scalars, channels)``
    """
    wide = torch.promote_types(x.dtype, torch.float)
    if order == 0:
        return x.new_empty(x.size(0), num_nodes, 0, x.size(1), dtype=wide), x[:, None].to(wide)
    if order == 1:
        x = x.to(wide)
        scalars = [x.sum(1), _at_root(x, 1)] if rooted else [x.sum(1)]
        return x[:, :, None], torch.stack(scalars, 1)
    d, r, c = x.diagonal(dim1=1, dim2=2).transpose(1, 2).to(wide), x.sum(2, dtype=wide), x.sum(1, dtype=wide)
    vectors, scalars = [d, r, c], [d.sum(1), r.sum(1)]
    if rooted:
        vectors += [_at_root(x, 2).to(wide), _at_root(x, 1).to(wide)]
        scalars += [_at_root(c, 1), _at_root(r, 1), _at_root(d, 1)]
    return torch.stack(vectors, 2), torch.stack(scalars, 1)


def place_pieces(out: Tensor, vectors: Tensor, scalars: Tensor, order: int) -> None:
    """Fill a batch of bags with vectors and scalars, each added to all places that the like piece is a sum of.

    Args:
        out: The bags.
        vectors: What goes to places of vectors; the scalars are added to it.
        scalars: What goes to places of scalars.
        order: 0, 1 or 2.

    Shapes:
        - **out:** ``(num_bags, ..., channels)``
        - **vectors:** ``(num_bags, num_nodes, num_vectors, channels)``
        - **scalars:** ``(num_bags, num_scalars, channels)``
    """
    if order == 0:
        out.copy_(scalars[:, 0])
    elif order == 1:
        torch.add(vectors[:, :, 0], scalars[:, :1], out=out)
        if scalars.size(1) > 1:
            out[:, :1] += scalars[:, 1:]
    else:
        _place_in_matrix(out, vectors, scalars)


def _place_in_matrix(out: Tensor, vectors: Tensor, scalars: Tensor) -> None:
    vectors[:, :, :2] += scalars[:, None, :2]
    torch.add(vectors[:, :, 1, None], vectors[:, None, :, 2], out=out)
    if scalars.size(1) > 2:
        vectors[:, :, 3:] += scalars[:, None, 2:4]
        out[:, :, :1] += vectors[:, :, 3, None]
        out[:, :1] += vectors[:, None, :, 4]
        out[:, :1, :1] += scalars[:, None, 4:]
    out.diagonal(dim1=1, dim2=2).transpose(1, 2).add_(vectors[:, :, 0])


def _at_root(x: Tensor, dim: int) -> Tensor:
    """What node 0 has; zero in bags without nodes."""
    return x.select(dim, 0) if x.size(dim) else x.sum(dim)
