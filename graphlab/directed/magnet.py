"""MagNet: spectral filters on the magnetic Laplacian."""

from itertools import pairwise
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.directed.checks import check_features, hidden_widths, share_to_drop
from graphlab.directed.magnet_conv import Complex, MagNetConv


class MagNet(nn.Module):
    r"""MagNet, layers of the magnetic Laplacian between complex ReLUs.

    .. math::
        Z_0 = X + i X, \qquad Z_l = \sigma(\mathrm{conv}_l(Z_{l-1})), \qquad
        Y = \mathrm{dropout}([\, \mathrm{Re}\, Z_L \,\|\, \mathrm{Im}\, Z_L \,]) W + b, \qquad
        \sigma(z) = z \; [\mathrm{Re}\, z \ge 0]

    Of `MagNet: A Neural Network for Directed Graphs <https://arxiv.org/abs/2102.11391>`_ (Zhang et al., 2021).

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Width of the layers' real and imaginary parts.
        out_channels: Number of classes.
        num_layers: Number of layers.
        order: The highest power in a layer.
        q: The phase of an edge without a counterpart, in turns: 0 forgets directions, 1/4 makes them imaginary.
        dropout: Fraction of hidden units dropped before the last linear map while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range; see the message.

    Example:
        >>> import torch
        >>> from graphlab.directed import MagNet
        >>> net = MagNet(8, 16, 3, q=0.1)
        >>> net(torch.randn(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    takes_sparse: ClassVar[bool] = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        order: int = 1,
        q: float = 0.25,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        widths = hidden_widths(in_channels, hidden_channels, num_layers)
        self.convs = nn.ModuleList(MagNetConv(*pair, order, q) for pair in pairwise(widths))
        self.head = nn.Linear(2 * hidden_channels, out_channels)
        self.dropout = share_to_drop(dropout)

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Compute the logits of all nodes.

        Args:
            x: Node features, dense or sparse CSR.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``.
            edge_weight: One number per edge, 0 or more; ``None`` for 1.

        Shapes:
            - **x:** ``(num_nodes, in_channels)``
            - **edge_index:** ``(2, num_edges)``
            - **edge_weight:** ``(num_edges,)``
            - **output:** ``(num_nodes, out_channels)``
        """
        convs: list[MagNetConv] = list(self.convs)  # pyright: ignore[reportAssignmentType]
        check_features(x, convs[0].in_channels, self)
        edges = convs[0].prepare(edge_index, edge_weight, x.size(0))
        z: Any = x
        for conv in convs:
            z = complex_relu(conv.convolve(z, edges))
        return self.head(F.dropout(torch.cat(z, dim=1), self.dropout, self.training))

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for part in (*self.convs, self.head):
            part.reset_parameters()  # pyright: ignore[reportCallIssue]


def complex_relu(z: Complex) -> Complex:
    """Keep complex numbers whose real part is 0 or more.

    Args:
        z: Real and imaginary parts.
    """
    kept = (z[0] >= 0).to(z[0].dtype)
    return z[0] * kept, z[1] * kept
