"""Sparse CSR tensors, made without torch's notices about their format."""

import functools
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor


def csr_tensor(crow: Tensor, col: Tensor, value: Tensor, size: Sequence[int], *, check: bool = False) -> Tensor:
    """Make a CSR matrix of its parts.

    Args:
        crow: Where each row begins, and the number of entries.
        col: The column of each entry.
        value: The entries.
        size: Numbers of rows and columns.
        check: Whether the parts may be wrong; those of another matrix are not.

    Shapes:
        - **crow:** ``(num_rows + 1,)``
        - **col:** ``(num_entries,)``
        - **value:** ``(num_entries,)``

    Raises:
        ValueError: The parts are checked and make no matrix.

    Example:
        >>> import torch
        >>> from graphlab.directed.csr_tensor import csr_tensor
        >>> csr_tensor(torch.tensor([0, 0, 1]), torch.tensor([1]), torch.tensor([3.0]), (2, 2)).to_dense().tolist()
        [[0.0, 0.0], [0.0, 3.0]]
    """
    _hear_the_notice()
    try:
        return torch.sparse_csr_tensor(crow, col, value, tuple(size), check_invariants=check)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"a CSR matrix cannot be made of these parts: {error}") from error


def to_csr(x: Tensor) -> Tensor:
    """The same matrix in CSR form.

    Args:
        x: A matrix in any layout.
    """
    _hear_the_notice()
    return x if x.layout == torch.sparse_csr else x.to_sparse_csr()


@functools.cache
def _hear_the_notice() -> None:
    """Let torch say now, unheard, what it says once in a process: that the format is young."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        torch.sparse_csr_tensor([0], [], [], (0, 0), check_invariants=False)
