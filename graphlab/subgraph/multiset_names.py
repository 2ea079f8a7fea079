"""Whole numbers for whole multisets: equal multisets get equal numbers, and no others do."""

import torch
from torch import Tensor


def joint_names(*columns: Tensor) -> Tensor:
    """Number the distinct rows of a table in lexicographic order.

    Args:
        *columns: The columns, int64.

    Shapes:
        - **columns, output:** ``(num_rows,)``
    """
    names = _names(columns[0])
    for column in columns[1:]:
        column = _names(column)
        # Names are below the number of rows, so that their pairs fit into 63 bits.
        names = _names(names * (column.numel() + 1) + column)
    return names


def multiset_names(value: Tensor, group: Tensor, num_groups: int) -> Tensor:
    r"""Number the multisets of the groups, without hashing.

    .. math::
        s_g = s_h \iff \{\!\{ v_e : g_e = g \}\!\} = \{\!\{ v_e : g_e = h \}\!\}

    Each group is sorted; then neighbours are paired and the pairs numbered, until one number is left of each group: a
    group of ``m`` values takes ``log2 m`` rounds, and all rounds together number no more pairs than there are values.

    Args:
        value: The members of all groups, int64 and not negative.
        group: The group of each member.
        num_groups: The number of groups; one without members counts as an empty multiset.

    Shapes:
        - **value, group:** ``(num_members,)``
        - **output:** ``(num_groups,)``
    """
    value = _names(value)
    value = value[torch.argsort(group * (value.numel() + 1) + value)]
    length = torch.bincount(group, minlength=num_groups)
    occupied = length > 0
    length = length[occupied]
    while bool((length > 1).any()):
        value, length = _pair_up(value, length)
    names = torch.zeros(num_groups, dtype=torch.int64, device=group.device)
    names[occupied] = value + 1
    return names


def _pair_up(value: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
    """Number the pairs of neighbours in each group; the last of an odd group is paired with nothing."""
    first = length.cumsum(0) - length
    place = torch.arange(value.numel(), device=value.device) - torch.repeat_interleave(first, length)
    left = (place % 2 == 0).nonzero().flatten()
    partner = torch.zeros_like(left)
    has_partner = place.roll(-1)[left] > 0
    partner[has_partner] = value[left[has_partner] + 1] + 1
    return _names(value[left] * (value.numel() + 2) + partner), (length + 1) // 2


def _names(column: Tensor) -> Tensor:
    return torch.unique(column, return_inverse=True)[1]
