"""A linear layer on features that may be sparse, such as bags of words."""

import torch
from torch import Tensor, nn

from graphlab.directed.csr_tensor import to_csr
from graphlab.ops import Graph, gather_reduce
from graphlab.ops.sparse_checks import check_sparse

_LARGEST_INT32 = 2**31 - 1


class FeatureLinear(nn.Linear):
    r"""``torch.nn.Linear`` that also takes a sparse matrix, at the cost of its stored entries.

    .. math::
        y_i = \sum_{k : x_{ik} \neq 0} x_{ik} W_{:,k} + b

    For features of which one in a hundred is not zero, forward and backward take a hundredth of the dense arithmetic.
    No gradient reaches a sparse ``x``.

    Args:
        in_features: Columns of ``x``.
        out_features: Columns of the result.
        bias: Whether to add a learned vector.

    Shapes:
        - **x:** ``(num_nodes, in_features)``, dense or ``torch.sparse`` CSR, CSC or COO
        - **output:** ``(num_nodes, out_features)``

    Raises:
        ValueError: A sparse ``x`` has another number of columns, or entries outside of it.

    Example:
        >>> import torch
        >>> from graphlab.directed import FeatureLinear
        >>> x = torch.eye(3)
        >>> layer = FeatureLinear(3, 2)
        >>> bool(torch.allclose(layer(x), layer(x.to_sparse_csr())))
        True
    """

    def forward(self, input: Tensor) -> Tensor:
        """Transform each row."""
        if input.layout == torch.strided:
            return super().forward(input)
        out = feature_matmul(input, self.weight.t())
        return out if self.bias is None else out + self.bias


def feature_matmul(x: Tensor, weight: Tensor) -> Tensor:
    """Multiply features, dense or sparse, by a dense matrix; no gradient reaches a sparse ``x``.

    Args:
        x: The features.
        weight: The matrix.

    Shapes:
        - **x:** ``(num_nodes, in_features)``, dense or ``torch.sparse`` CSR, CSC or COO
        - **weight:** ``(in_features, out_features)``
        - **output:** ``(num_nodes, out_features)``

    Raises:
        ValueError: A sparse ``x`` has another number of columns, or entries outside of it.
    """
    if x.layout == torch.strided:
        return x @ weight
    if x.dim() != 2 or x.size(1) != weight.size(0):
        raise ValueError(
            f"'x' must have {weight.size(0)} columns, got shape {tuple(x.shape)}; "
            f"build the layer with in_features={x.size(-1)}"
        )
    graph, value = _as_graph(x)
    return gather_reduce(weight.contiguous(), graph, value.to(weight.dtype))


def _as_graph(x: Tensor) -> tuple[Graph, Tensor]:
    """Each row gathers the weights of the columns that it has entries in."""
    rows = to_csr(check_sparse("x", x))
    index = torch.int32 if max(rows.values().numel(), x.size(1)) <= _LARGEST_INT32 else torch.int64
    graph = Graph(rows.crow_indices().to(index), rows.col_indices().to(index), None, x.size(1))
    return graph, rows.values().detach()
