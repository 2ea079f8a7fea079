"""The layer of DSS-GNN: one network inside each bag, one on the graph that all bags share."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from graphlab.ops import gather_reduce
from graphlab.subgraph.dss_bags import DSSBags

# At 0, a root and a neighbour with the same closed neighbourhood would be alike after one layer, mark or not.
_EPS = 0.1


def batch_norm(channels: int, norm: str | None) -> nn.Module:
    """Give the norm of a name.

    Args:
        channels: Its width.
        norm: ``"batch_norm"``, or ``None`` for none.

    Raises:
        ValueError: There is no such norm.
    """
    if norm not in ("batch_norm", None):
        raise ValueError(f"'norm' must be 'batch_norm' or None, got {norm!r}")
    return nn.Identity() if norm is None else nn.BatchNorm1d(channels)


class GIN(nn.Module):
    r"""One layer of GIN (Xu et al. 2019, arXiv 1810.00826), normalised.

    .. math::
        x'_i = \text{norm}\Big(W_2 \, \text{ReLU}\big(\text{norm}\big(W_1 \big((1 + \epsilon) x_i +
        \sum_{j \to i} x_j\big) + b_1\big)\big) + b_2\Big)

    Args:
        channels: Width of ``x`` and of the result.
        norm: ``"batch_norm"``, or ``None`` for none.

    Shapes:
        - **x, output:** ``(num_rows, channels)``
    """

    def __init__(self, channels: int, norm: str | None = "batch_norm") -> None:
        super().__init__()
        self.eps = nn.Parameter(torch.tensor(_EPS))
        inner = (nn.Linear(channels, channels), batch_norm(channels, norm), nn.ReLU())
        self.mlp = nn.Sequential(*inner, nn.Linear(channels, channels), batch_norm(channels, norm))

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        nn.init.constant_(self.eps, _EPS)
        for part in self.mlp:
            if hasattr(part, "reset_parameters"):
                cast(Any, part).reset_parameters()

    def forward(self, x: Tensor, edges: Any) -> Tensor:
        """Run the layer.

        Args:
            x: The rows.
            edges: The edges between them.
        """
        return self.mlp(gather_reduce(x, edges) + (1 + self.eps) * x)


class DSSConv(nn.Module):
    r"""The layer of DSS-GNN (Bevilacqua et al. 2022, arXiv 2110.02910) with GIN.

    .. math::
        x'_{rv} = \text{ReLU}\big(\text{GIN}_\text{bag}(x_{r \cdot}, E_r)_v +
        \text{GIN}_\text{shared}(\bar x, E)_v\big), \qquad \bar x_v = \frac{1}{n} \sum_r x_{rv}

    with a row for each pair of a root :math:`r` and a node :math:`v` of its graph, which has :math:`n` nodes.

    Args:
        channels: Width of ``x`` and of the result.
        norm: The norm behind each linear map: ``"batch_norm"``, or ``None`` for none.

    Shapes:
        - **x, output:** ``(num_rows, channels)``
        - **mean:** ``(num_nodes, channels)``

    Raises:
        ValueError: ``norm`` is unknown.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import DSSBags, DSSConv
        >>> bags = DSSBags.of(torch.tensor([[0, 1], [1, 0]]), torch.tensor([0, 0, 0]), 1, num_hops=1)
        >>> conv = DSSConv(4)
        >>> conv(torch.randn(9, 4), torch.randn(3, 4), bags).shape
        torch.Size([9, 4])
    """

    def __init__(self, channels: int, norm: str | None = "batch_norm") -> None:
        super().__init__()
        self.bag, self.shared = GIN(channels, norm), GIN(channels, norm)

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        self.bag.reset_parameters()
        self.shared.reset_parameters()

    def forward(self, x: Tensor, mean: Tensor, bags: DSSBags) -> Tensor:
        r"""Run the layer.

        Args:
            x: A row for each node of each bag.
            mean: The mean of the rows of each node, :math:`\bar x`.
            bags: The bags.
        """
        return (self.bag(x, bags.edges) + bags.spread(self.shared(mean, bags.graph))).relu()
