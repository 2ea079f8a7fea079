"""A product of sparse maps that is applied factor by factor."""

from collections.abc import Sequence

import torch
from torch import Tensor

from graphlab.directed.operator import Operator


class OperatorProduct:
    r"""A product of operators between two diagonal matrices, never multiplied out.

    .. math::
        M X = \operatorname{diag}(l) \, F_1 (F_2 \cdots (F_m \operatorname{diag}(r) X))

    The product of two sparse matrices may have many more entries than both; its application costs only theirs:
    :math:`O(\sum_i \text{nnz}(F_i) \cdot f)` time and :math:`O(n f)` memory.

    Args:
        factors: The operators from left to right, at least one.
        left: One number per row of the result; ``None`` for 1.
        right: One number per row of the features; ``None`` for 1.

    Shapes:
        - **left, right:** ``(num_nodes,)``

    Example:
        >>> import torch
        >>> from graphlab.directed import OperatorProduct, adjacency
        >>> a = adjacency(torch.tensor([[0, 1], [1, 2]]), num_nodes=3)
        >>> OperatorProduct([a, a]).to_dense().tolist()
        [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, factors: Sequence[Operator], left: Tensor | None = None, right: Tensor | None = None) -> None:
        self.factors, self.left, self.right = tuple(factors), left, right

    @property
    def num_nodes(self) -> int:
        """The number of rows."""
        return self.factors[0].num_nodes

    @property
    def T(self) -> "OperatorProduct":
        """The transposed map."""
        return OperatorProduct([factor.T for factor in reversed(self.factors)], self.right, self.left)

    def __matmul__(self, x: Tensor) -> Tensor:
        """Apply the map to node features."""
        x = _scaled(self.right, x)
        for factor in reversed(self.factors):
            x = factor @ x
        return _scaled(self.left, x)

    def to_dense(self) -> Tensor:
        """The matrix itself in double precision; for small graphs and tests."""
        last = self.factors[-1].graph
        return self @ torch.eye(last.num_sources, dtype=torch.float64, device=last.col.device)


def _scaled(scale: Tensor | None, x: Tensor) -> Tensor:
    return x if scale is None else scale.to(x.dtype).view(-1, *[1] * (x.dim() - 1)) * x
