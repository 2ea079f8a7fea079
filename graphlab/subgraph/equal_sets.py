"""Which of many sets are equal."""

import torch
from torch import Tensor


def equal_sets(member: Tensor, ptr: Tensor) -> tuple[Tensor, Tensor]:
    """Find equal sets: exactly, by their members in order, but only among sets whose sums agree.

    Args:
        member: The members of each set, each once, in any order; not negative.
        ptr: Where the members of each set begin.

    Returns:
        The first set of each kind, ascending, and the kind of each set as a place among those.

    Shapes:
        - **member:** ``(num_members,)``
        - **ptr:** ``(num_sets + 1,)``
        - **output:** ``(num_kinds,)`` and ``(num_sets,)``

    Example:
        >>> import torch
        >>> from graphlab.subgraph.equal_sets import equal_sets
        >>> first, kind = equal_sets(torch.tensor([0, 1, 2, 1, 0]), torch.tensor([0, 2, 3, 5]))
        >>> first.tolist(), kind.tolist()
        ([0, 1], [0, 1, 0])
    """
    size = ptr.diff()
    owner = torch.arange(size.numel(), device=ptr.device).repeat_interleave(size)
    sums = torch.zeros_like(size).index_add_(0, owner, _mixed(member))
    _, alike = torch.stack([size, sums], dim=1).unique(dim=0, return_inverse=True)
    kind = torch.arange(size.numel(), device=ptr.device)
    several = alike.bincount()[alike] > 1
    kind[several] = _kinds(member, size, owner, several)
    first, kind = kind.unique(return_inverse=True)
    return first, kind


def _mixed(member: Tensor) -> Tensor:
    """Numbers whose sums tell sets apart nearly always; wrapping around is part of it."""
    mixed = (member.long() + 1) * -7046029254386353131
    mixed = (mixed ^ (mixed >> 29)) * -4658895280553007687
    return mixed ^ (mixed >> 32)


def _kinds(member: Tensor, size: Tensor, owner: Tensor, chosen: Tensor) -> Tensor:
    """The first set that equals each chosen one: members in order, compared a size at a time."""
    among = chosen[owner]
    member, owner = member[among].long(), owner[among]
    order = member.argsort()
    member, owner = member[order], owner[order]
    by_set = owner.argsort(stable=True)
    member, length = member[by_set], size[chosen]
    number, begin = chosen.nonzero().view(-1), length.cumsum(0) - length
    kind = torch.empty_like(number)
    for m in length.unique().tolist():
        rows = (length == m).nonzero().view(-1)
        table = member[begin[rows].unsqueeze(1) + torch.arange(m, device=rows.device)]
        _, same = table.unique(dim=0, return_inverse=True)
        least = torch.full_like(rows, size.numel()).scatter_reduce_(0, same, number[rows], "amin")
        kind[rows] = least[same]
    return kind
