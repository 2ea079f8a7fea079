"""Putting a batch's rows together from those kept in memory and those just read."""

import torch
from torch import Tensor

from graphlab.ops.byte_checks import check_apart, check_bytes, check_positive
from graphlab.ops.host_op import HostOp
from graphlab.ops.sample_checks import check_vector

_INDEX = 0x7FFFFFFF


def assemble_rows_ref(pack: Tensor, hot: Tensor, place: Tensor, row_bytes: int, out: Tensor) -> None:
    """The specification of :func:`assemble_rows`.

    Args:
        pack: The rows just read.
        hot: The rows kept in memory.
        place: Where each row is.
        row_bytes: The bytes of a row.
        out: Where the rows go.
    """
    is_hot, row = place < 0, (place & _INDEX).long()
    tables = {"pack": pack.view(-1, row_bytes), "hot": hot.view(-1, row_bytes)}
    sizes = torch.where(is_hot, len(tables["hot"]), len(tables["pack"]))
    bad = (row >= sizes).nonzero()
    if bad.numel():
        i = int(bad[0])
        raise ValueError(
            f"'place' must name rows that exist, but place[{i}] is row {int(row[i])} of "
            f"'{'hot' if is_hot[i] else 'pack'}', which has {int(sizes[i])}"
        )
    rows = out.view(-1, row_bytes)
    rows[is_hot] = tables["hot"][row[is_hot]]
    rows[~is_hot] = tables["pack"][row[~is_hot]]


_assemble_rows = HostOp("assemble_rows", assemble_rows_ref)


def assemble_rows(pack: Tensor, hot: Tensor, place: Tensor, row_bytes: int, out: Tensor) -> Tensor:
    r"""Fill ``out`` with rows of two tables.

    .. math::
        \text{out}_i = \begin{cases}
            \text{hot}_{p_i - 2^{31}} & p_i \ge 2^{31} \\
            \text{pack}_{p_i} & \text{else}
        \end{cases}

    where :math:`p_i` is ``place[i]`` without a sign. One thread does it at nearly the speed of a copy of the same size.

    Args:
        pack: The rows just read. It may begin anywhere inside a larger buffer.
        hot: The rows kept in memory.
        place: Where each row is, int32 with the bits of an unsigned number.
        row_bytes: The bytes of a row.
        out: Where the rows go.

    Returns:
        ``out``

    Shapes:
        - **pack, hot:** any, uint8, a multiple of ``row_bytes`` in total
        - **place:** ``(num_rows,)``
        - **out:** any, uint8, ``num_rows * row_bytes`` in total

    Raises:
        ValueError, RuntimeError: An argument is wrong, ``out`` overlaps another one, or a row does not exist. Nothing
            has been written then.
        TypeError: An argument is no tensor.

    Example:
        >>> import torch
        >>> from graphlab.ops import assemble_rows
        >>> pack, hot = torch.arange(4, dtype=torch.uint8), torch.arange(90, 96, dtype=torch.uint8)
        >>> place = torch.tensor([1, 2 - 2**31, 0], dtype=torch.int32)
        >>> assemble_rows(pack, hot, place, 2, torch.empty(3, 2, dtype=torch.uint8)).tolist()
        [[2, 3], [94, 95], [0, 1]]
    """
    check_positive(row_bytes, "row_bytes")
    check_vector(place, "place", (torch.int32,))
    for name, table in (("pack", pack), ("hot", hot), ("out", out)):
        check_bytes(table, name)
        if table.numel() % row_bytes:
            raise ValueError(f"'{name}' must hold whole rows of {row_bytes} bytes, got {table.numel()} bytes")
    if out.numel() != place.numel() * row_bytes:
        raise ValueError(f"'out' must hold the {place.numel()} rows of 'place', got {out.numel() // row_bytes}")
    for name, given in (("pack", pack), ("hot", hot), ("place", place)):
        check_apart(given, name, out)
    _assemble_rows(pack, hot, place, row_bytes, out)
    return out
