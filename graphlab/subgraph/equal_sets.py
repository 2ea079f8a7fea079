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
    sums = _mixed(size).index_add_(0, owner, _mixed(member))
    _, alike = sums.unique(return_inverse=True)
    kind = torch.arange(size.numel(), device=ptr.device)
    several = alike.bincount()[alike] > 1
    left = several.nonzero().view(-1)
    member, begin = _ordered(member, owner, size, several)
    while left.numel():
        first = torch.full_like(kind, kind.numel()).scatter_reduce_(0, alike[left], left, "amin")[alike[left]]
        equal = _equal(member, size, begin, left, first)
        kind[left[equal]] = first[equal]
        left = left[~equal]
    first, kind = kind.unique(return_inverse=True)
    return first, kind


def _mixed(member: Tensor) -> Tensor:
    """Numbers whose sums tell sets apart nearly always; wrapping around is part of it."""
    mixed = (member.long() + 1) * -7046029254386353131
    mixed = (mixed ^ (mixed >> 29)) * -4658895280553007687
    return mixed ^ (mixed >> 32)


def _ordered(member: Tensor, owner: Tensor, size: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """The members of chosen sets in order, and where those of each set begin."""
    among = chosen[owner]
    member, owner = member[among].long(), owner[among]
    order = member.argsort()
    member, owner = member[order], owner[order]
    length = torch.where(chosen, size, 0)
    return member[owner.argsort(stable=True)], length.cumsum(0) - length


def _equal(member: Tensor, size: Tensor, begin: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Whether sets have the same size and the same members."""
    equal = size[one] == size[other]
    length = torch.where(equal, size[one], 0)
    pair = torch.arange(one.numel(), device=one.device).repeat_interleave(length)
    offset = torch.arange(pair.numel(), device=one.device) - (length.cumsum(0) - length)[pair]
    differ = member[begin[one][pair] + offset] != member[begin[other][pair] + offset]
    equal[pair[differ]] = False
    return equal
