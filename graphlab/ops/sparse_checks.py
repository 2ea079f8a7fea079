"""The structure of sparse matrices, which torch does not look at before it reads memory by it."""

import torch
from torch import Tensor


def check_sparse(name: str, matrix: Tensor) -> Tensor:
    r"""Return a sparse matrix whose indices stay inside it; entries may be unsorted or stored twice.

    .. math::
        0 = p_0 \le p_1 \le \dots \le p_n = \text{nnz}, \qquad 0 \le \text{index}_e < \text{size}

    Args:
        name: The argument that it came as.
        matrix: A ``torch.sparse`` COO, CSR or CSC tensor.

    Shapes:
        - **matrix:** two dimensions, one number per entry

    Raises:
        ValueError: It has another layout or more dimensions, or indices that lead out of it.
    """
    if matrix.layout not in (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc):
        raise ValueError(
            f"'{name}' must be sparse COO, CSR or CSC, got {matrix.layout}; convert it with to_sparse_csr()"
        )
    if matrix.dim() != 2 or matrix.dense_dim():
        raise ValueError(
            f"'{name}' must be a matrix with one number per entry, got {matrix.dim()} dimensions, "
            f"{matrix.dense_dim()} of them dense"
        )
    if matrix.layout == torch.sparse_coo:
        _check_coo(name, matrix)
    else:
        _check_compressed(name, matrix)
    return matrix


def _check_coo(name: str, matrix: Tensor) -> None:
    indices = matrix._indices()
    for what, index, size in zip(("rows", "columns"), indices, matrix.shape, strict=True):
        _check_range(name, what, index, size)
    # Conversions trust the flag.
    if matrix.is_coalesced() and not _ascends(indices[0]):
        raise ValueError(f"'{name}' is marked as coalesced, but its rows are not in order; leave out is_coalesced=True")


def _check_compressed(name: str, matrix: Tensor) -> None:
    by_row = matrix.layout == torch.sparse_csr
    pointer = matrix.crow_indices() if by_row else matrix.ccol_indices()
    index = matrix.col_indices() if by_row else matrix.row_indices()
    lines, size = matrix.shape if by_row else reversed(matrix.shape)
    entries = matrix.values().numel()
    fits = tuple(pointer.shape) == (lines + 1,) and index.numel() == entries
    if not fits or int(pointer[0]) != 0 or int(pointer[-1]) != entries or not _ascends(pointer):
        raise ValueError(
            f"'{name}' must have {lines + 1} row (CSC: column) pointers that ascend from 0 to its {entries} entries, "
            f"got {tuple(pointer.shape)} of them; build it with check_invariants=True"
        )
    _check_range(name, "columns" if by_row else "rows", index, size)


def _check_range(name: str, what: str, index: Tensor, size: int) -> None:
    if index.numel() and (int(index.min()) < 0 or int(index.max()) >= size):
        raise ValueError(
            f"'{name}' has {what} from {int(index.min())} to {int(index.max())}, expected [0, {size}); "
            f"build it with check_invariants=True"
        )


def _ascends(index: Tensor) -> bool:
    return bool((index[1:] >= index[:-1]).all())
