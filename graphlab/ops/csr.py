"""Sorting edges by the row that they enter, and transposing, by stable counting sorts."""

import torch
from torch import Tensor

from graphlab.ops.kernels import INDEX_DTYPES
from graphlab.ops.op import Op


def csr_from_coo_ref(index: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The specification of :func:`csr_from_coo`.

    Args:
        index: The row of each edge.
        size: The number of rows.
    """
    if size < 0:
        raise ValueError(f"'size' must not be negative, got {size}")
    _check_range("index", index, size)
    perm = torch.argsort(index, stable=True).to(index.dtype)
    return _pointers(index, size), perm


def csr_transpose_ref(rowptr: Tensor, col: Tensor, perm: Tensor | None, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The specification of :func:`csr_transpose`.

    Args:
        rowptr: The boundaries of the rows.
        col: The column of each edge.
        perm: Where the user keeps each edge; ``None`` for the same order.
        size: The number of columns.
    """
    _check_range("col", col, size)
    order = torch.argsort(col, stable=True)
    places = order.to(col.dtype) if perm is None else perm[order]
    return _pointers(col, size), rows_of(rowptr)[order].to(col.dtype), places


def rows_of(ptr: Tensor, length: int | None = None) -> Tensor:
    """Return the row of each position.

    Args:
        ptr: The boundaries of the rows.
        length: The number of positions; known, it need not be read off ``ptr``.

    Shapes:
        - **ptr:** ``(num_rows + 1,)``
        - **output:** ``(length,)``
    """
    rows = torch.arange(ptr.numel() - 1, device=ptr.device)
    return torch.repeat_interleave(rows, (ptr[1:] - ptr[:-1]).long(), output_size=length)


def _pointers(index: Tensor, size: int) -> Tensor:
    ptr = index.new_zeros(size + 1)
    ptr[1:] = torch.bincount(index.long(), minlength=size).cumsum(0)
    return ptr


def _check_range(name: str, index: Tensor, size: int) -> None:
    if index.numel() and (int(index.min()) < 0 or int(index.max()) >= size):
        raise ValueError(f"'{name}' must lie in [0, {size}), got {int(index.min())} to {int(index.max())}")


_csr_from_coo = Op(
    "csr_from_coo",
    "(Tensor index, SymInt size) -> (Tensor, Tensor)",
    values=0,
    dtypes=INDEX_DTYPES,
    reference=csr_from_coo_ref,
    fake=lambda index, size: (index.new_empty(size + 1), torch.empty_like(index)),
)

_csr_transpose = Op(
    "csr_transpose",
    "(Tensor rowptr, Tensor col, Tensor? perm, SymInt size) -> (Tensor, Tensor, Tensor)",
    values=0,
    dtypes=INDEX_DTYPES,
    reference=csr_transpose_ref,
    fake=lambda rowptr, col, perm, size: (rowptr.new_empty(size + 1), torch.empty_like(col), torch.empty_like(col)),
)


def csr_from_coo(index: Tensor, size: int) -> tuple[Tensor, Tensor]:
    r"""Sort edges by the row that they enter; equal rows keep their order.

    .. math::
        \text{ptr}_i = |\{e : \text{index}_e < i\}|, \qquad
        \text{index}_{\text{perm}_e} \le \text{index}_{\text{perm}_{e+1}}

    Args:
        index: The row of each edge, int32 or int64.
        size: The number of rows.

    Returns:
        ``ptr`` and ``perm``, of the same integer type.

    Shapes:
        - **index:** ``(num_edges,)``
        - **output:** ``(size + 1,)`` and ``(num_edges,)``

    Raises:
        ValueError, RuntimeError: ``index`` points outside the rows.
    """
    return _csr_from_coo(index, size)


def csr_transpose(rowptr: Tensor, col: Tensor, perm: Tensor | None, size: int) -> tuple[Tensor, Tensor, Tensor]:
    r"""Sort the edges of a CSR structure by column; inside a column rows keep their order.

    Args:
        rowptr: The boundaries of the rows.
        col: The column of each edge.
        perm: Where the user keeps each edge; ``None`` for the same order.
        size: The number of columns.

    Returns:
        ``colptr``, ``row``, and where the user keeps each edge of the transposed structure.

    Shapes:
        - **rowptr:** ``(num_rows + 1,)``
        - **col, perm:** ``(num_edges,)``
        - **output:** ``(size + 1,)``, ``(num_edges,)`` and ``(num_edges,)``

    Raises:
        ValueError, RuntimeError: An index points outside.
    """
    return _csr_transpose(rowptr, col, perm, size)
