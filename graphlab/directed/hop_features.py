"""What is propagated before training: all hops of a node in one row."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphlab.directed.csr_tensor import csr_tensor
from graphlab.directed.hop_writer import write_hops

Rows = Tensor | slice


class HopFeatures:
    r"""Features propagated along a graph, for models that then see one node at a time.

    .. math::
        H_i = (X_i,\; (M_1 X)_i,\; (M_2 X)_i,\; \dots)

    ``hops[rows]`` copies those of some nodes: keep it where the same rows are trained on again and again.

    Args:
        dense: All dense blocks, a node's blocks side by side; block 0 is ``X`` itself unless that is sparse.
        sparse: Sparse blocks (CSR) by name; ``"x"`` is ``X`` itself.
        recipe: How they were made; a model refuses hops that its own propagation does not give.

    Shapes:
        - **dense:** ``(num_nodes, num_blocks, channels)``
        - **sparse:** ``(num_nodes, *)`` each

    Raises:
        ValueError: A shape or a layout is wrong, or a sparse block is not what its layout says.

    Example:
        >>> import torch
        >>> from graphlab.directed import HopFeatures
        >>> hops = HopFeatures(torch.arange(12.0).view(3, 2, 2))
        >>> hops[torch.tensor([2])].dense.tolist()
        [[[8.0, 9.0], [10.0, 11.0]]]
    """

    def __init__(self, dense: Tensor, sparse: Mapping[str, Tensor] | None = None, recipe: str = "") -> None:
        self.dense, self.sparse, self.recipe = dense, dict(sparse or {}), recipe
        if dense.dim() != 3:
            raise ValueError(f"'dense' must have shape (num_nodes, num_blocks, channels), got {tuple(dense.shape)}")
        for name, block in self.sparse.items():
            if block.layout != torch.sparse_csr or block.dim() != 2 or block.size(0) != dense.size(0):
                raise ValueError(
                    f"'sparse' must hold CSR matrices of {dense.size(0)} rows, got {name!r} of layout {block.layout} "
                    f"and shape {tuple(block.shape)}; convert it with to_sparse_csr()"
                )
            csr_tensor(block.crow_indices(), block.col_indices(), block.values().detach(), block.shape, check=True)

    @property
    def num_nodes(self) -> int:
        """The number of rows."""
        return self.dense.size(0)

    @property
    def features(self) -> Tensor:
        """The features before propagation, dense or CSR ``(num_nodes, channels)``."""
        return self.sparse["x"] if "x" in self.sparse else self.dense[:, 0]

    @property
    def propagated(self) -> Tensor:
        """The dense blocks that are not ``X`` itself."""
        return self.dense if "x" in self.sparse else self.dense[:, 1:]

    def __len__(self) -> int:
        return self.num_nodes

    def __getitem__(self, rows: Rows) -> "HopFeatures":
        """The hops of some nodes: indices, a boolean mask or a slice of them."""
        if isinstance(rows, slice):
            return self._chosen(torch.arange(self.num_nodes)[rows], self.dense[rows])
        rows = indices(rows, self.num_nodes).to(self.dense.device)
        return self._chosen(rows, self.dense.index_select(0, rows))

    def _chosen(self, rows: Tensor, dense: Tensor) -> "HopFeatures":
        return HopFeatures(dense, {name: take_rows(block, rows) for name, block in self.sparse.items()}, self.recipe)

    def to(self, *args: Any) -> "HopFeatures":
        """Copy to a device or a precision.

        Args:
            *args: What ``torch.Tensor.to`` takes.
        """
        sparse = {name: block.to(*args) for name, block in self.sparse.items()}
        return HopFeatures(self.dense.to(*args), sparse, self.recipe)

    def save(self, folder: str | Path) -> None:
        """Write to a new folder, which :class:`graphlab.directed.StoredHops` opens.

        The folder has its name only once it is complete; a process that is killed leaves ``.NAME-*`` beside it, which
        may be removed.

        Args:
            folder: Where to; it must not be there yet.

        Raises:
            ValueError: The folder is there already, the numbers are not float16, float32 or float64, or the name of a
                sparse block is no identifier.
        """
        write_hops(folder, self.dense, self.sparse, self.recipe)

    def __repr__(self) -> str:
        blocks = "".join(f", {name}={tuple(block.shape)}" for name, block in self.sparse.items())
        return f"HopFeatures(dense={tuple(self.dense.shape)}{blocks})"


def take_rows(matrix: Tensor, rows: Tensor) -> Tensor:
    """Rows of a CSR matrix, in the order asked for.

    Args:
        matrix: The matrix.
        rows: Indices of rows, which may repeat.

    Shapes:
        - **matrix:** ``(num_rows, num_columns)``
        - **rows:** ``(num_chosen,)``
        - **output:** ``(num_chosen, num_columns)``
    """
    rows = rows.to(matrix.device)
    ptr = matrix.crow_indices()
    counts = (ptr[1:] - ptr[:-1])[rows]
    new_ptr = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    shift = torch.repeat_interleave(ptr[rows] - new_ptr[:-1], counts)
    places = torch.arange(shift.numel(), device=shift.device) + shift
    columns, values = matrix.col_indices()[places], matrix.values()[places]
    return csr_tensor(new_ptr.to(ptr.dtype), columns, values, (rows.numel(), matrix.size(1)))


def indices(rows: Any, num_nodes: int) -> Tensor:
    """What a choice of rows is in numbers.

    Args:
        rows: Indices of rows or a mask.
        num_nodes: How many rows there are.

    Raises:
        ValueError: It is no choice of these rows.
    """
    if not isinstance(rows, Tensor):
        raise ValueError(f"rows must be a tensor or a slice, got {rows!r}; make it one: torch.tensor([...])")
    if rows.dim() != 1 or rows.dtype not in (torch.bool, torch.int64, torch.int32):
        raise ValueError(f"rows must be int64 indices or a boolean mask, got {rows.dtype} of shape {tuple(rows.shape)}")
    if rows.dtype == torch.bool:
        if rows.numel() != num_nodes:
            raise ValueError(f"a mask of rows must have {num_nodes} entries, got {rows.numel()}")
        return rows.nonzero().flatten()
    if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < num_nodes:
        raise ValueError(f"rows must lie in [0, {num_nodes}), got {int(rows.min())} to {int(rows.max())}")
    return rows.long()
