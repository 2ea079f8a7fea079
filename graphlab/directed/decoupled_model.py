"""Networks that propagate once, before training, and then see one row at a time."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from graphlab.directed.checks import check_numbers
from graphlab.directed.csr_tensor import to_csr
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.hop_writer import write_blocks
from graphlab.directed.stored_hops import StoredHops
from graphlab.ops.sparse_checks import check_sparse


class DecoupledModel(nn.Module, ABC):
    r"""Base of networks whose propagation has no parameters.

    .. math::
        y_i = f_\theta(H_i), \qquad H = \text{precompute}(X, A)

    ``precompute`` runs once per data set; training and inference then read rows of ``H`` alone, so a batch is any set
    of rows, and its logits are those of the whole graph.

    A network says how it propagates (:meth:`propagate`, :attr:`num_blocks`, :attr:`recipe`) and what it learns
    (:meth:`classify`).

    Args:
        in_channels: Node features.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: Features have another width, are not floating-point, or not finite; or hops are another network's.

    Example:
        >>> import torch
        >>> from graphlab.directed import FSGNN
        >>> x, edge_index = torch.rand(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])
        >>> model = FSGNN(8, 16, 3)  # one of them
        >>> hops = model.precompute(x, edge_index)
        >>> model.classify(hops[torch.tensor([2, 0])]).shape
        torch.Size([2, 3])
    """

    takes_sparse: ClassVar[bool] = True

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.in_channels = in_channels

    @property
    @abstractmethod
    def num_blocks(self) -> int:
        """How many blocks :meth:`propagate` gives."""

    @property
    def keeps_features(self) -> bool:
        """Whether the features themselves are kept beside what :meth:`propagate` gives."""
        return True

    @property
    @abstractmethod
    def recipe(self) -> str:
        """Everything that the result of :meth:`propagate` depends on besides the data."""

    @abstractmethod
    def propagate(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Iterator[Tensor]:
        """Propagate dense features; the blocks ``(num_nodes, in_channels)`` come one after another."""

    @abstractmethod
    def classify(self, hops: HopFeatures) -> Tensor:
        """Compute the logits of the rows of what :meth:`precompute` gave."""

    def extra_repr(self) -> str:
        """How the network propagates, between the brackets of ``repr``."""
        return self.recipe.removeprefix(f"{type(self).__name__}(").removesuffix(")")

    def adjacency_rows(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> dict[str, Tensor]:
        """Sparse blocks that the network reads besides the features, by name; none by default."""
        return {}

    def precompute(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> HopFeatures:
        """Propagate the features.

        Args:
            x: Node features, dense or CSR; sparse ones stay sparse, their hops are dense.
            edge_index: The edges.
            edge_weight: One number per edge; the values of a sparse adjacency where it is ``None``.

        Returns:
            What :meth:`classify` takes, all rows or any: ``model.classify(hops[rows])``.

        Raises:
            ValueError: ``x`` has another shape, holds integers, or a value that is not a finite number.
        """
        x = self._checked(x)
        number = self.num_blocks + self._keeps_dense(x)
        dense = torch.empty(x.size(0), number, x.size(1), dtype=x.dtype, device=x.device)
        for place, block in enumerate(self._dense_blocks(x, edge_index, edge_weight)):
            dense[:, place] = block
        return HopFeatures(dense, self._sparse_blocks(x, edge_index, edge_weight), self.recipe)

    @torch.no_grad()
    def precompute_to(
        self, folder: str | Path, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None
    ) -> StoredHops:
        """Propagate the features into a folder: what is in memory at a time is one block and what makes the next.

        Args:
            folder: Where to; it must not be there yet, and has its name only once it is complete.
            x: Node features, dense or CSR.
            edge_index: The edges.
            edge_weight: One number per edge; the values of a sparse adjacency where it is ``None``.

        Returns:
            The folder, opened: ``model.classify(stored[rows])``.

        Raises:
            ValueError: The folder is there already, or ``x`` is wrong.
        """
        x = self._checked(x)
        blocks = self._dense_blocks(x, edge_index, edge_weight)
        write_blocks(folder, blocks, self._sparse_blocks(x, edge_index, edge_weight), self.recipe)
        return StoredHops(folder)

    def _dense_blocks(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Iterator[Tensor]:
        start = x if x.layout == torch.strided else x.to_dense()
        if self._keeps_dense(x):
            yield x
        yield from self.propagate(start, edge_index, edge_weight)

    def _sparse_blocks(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> dict[str, Tensor]:
        of_features = {} if x.layout == torch.strided or not self.keeps_features else {"x": x}
        return of_features | self.adjacency_rows(x, edge_index, edge_weight)

    def _keeps_dense(self, x: Tensor) -> bool:
        return self.keeps_features and x.layout == torch.strided

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Compute the logits of all nodes: :meth:`precompute`, then :meth:`classify`.

        Args:
            x: Node features, dense or CSR.
            edge_index: The edges.
            edge_weight: One number per edge.

        Shapes:
            - **x:** ``(num_nodes, in_channels)``
            - **edge_index:** ``(2, num_edges)``
            - **edge_weight:** ``(num_edges,)``
            - **output:** ``(num_nodes, out_channels)``
        """
        return self.classify(self.precompute(x, edge_index, edge_weight))

    def check_hops(self, hops: HopFeatures) -> None:
        """Refuse what another network's propagation gave.

        Args:
            hops: What is to be classified.

        Raises:
            ValueError: The hops were made in another way, have another width, or are not of the parameters' dtype.
        """
        channels = hops.dense.size(2)
        if hops.recipe != self.recipe or channels != self.in_channels:
            raise ValueError(
                f"'hops' must come from {self.recipe} on {self.in_channels} features, got {hops.recipe or 'others'} on "
                f"{channels}; call precompute of this network"
            )
        check_numbers("hops", hops.dense, self)

    def _checked(self, x: Tensor) -> Tensor:
        if x.dim() != 2 or x.size(1) != self.in_channels or not x.is_floating_point():
            raise ValueError(
                f"'x' must hold floating-point numbers (num_nodes, {self.in_channels}), got {x.dtype} of shape "
                f"{tuple(x.shape)}; build the network with in_channels=x.size(1)"
            )
        x = x if x.layout == torch.strided else to_csr(check_sparse("x", x))
        if not (x if x.layout == torch.strided else x.values()).isfinite().all():
            raise ValueError("'x' must be finite, got NaN or infinity; fill in what is missing first")
        return x
