"""DiGCN with inception blocks."""

from itertools import pairwise
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.directed.checks import check_features, hidden_widths, share_to_drop
from graphlab.directed.digcn_inception_conv import DiGCNInceptionConv


class DiGCNInception(nn.Module):
    r"""DiGCN-IB: three inception blocks, the last of which gives the classes.

    .. math::
        H_l = \mathrm{dropout}(\mathrm{ReLU}(\mathrm{IB}_l(H_{l-1}))), \quad l < L, \qquad Y = \mathrm{IB}_L(H_{L-1})

    Of `Digraph Inception Convolutional Networks <https://arxiv.org/abs/2010.13973>`_ (Tong et al., 2020). Dropout also
    acts on each branch of a block but the last. The paper's activation is ReLU here; common implementations
    leave it out, which makes the network linear.

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Width of the blocks.
        out_channels: Number of classes.
        num_layers: Number of blocks.
        teleport: Probability with which the walk goes to any node, between 0 and 1.
        dropout: Fraction of units dropped while training, of each branch and again of their sum.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range; see the message.

    Example:
        >>> import torch
        >>> from graphlab.directed import DiGCNInception
        >>> net = DiGCNInception(8, 16, 3)
        >>> net(torch.randn(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    takes_sparse: ClassVar[bool] = True

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 3,
        teleport: float = 0.1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        widths = hidden_widths(in_channels, hidden_channels, num_layers)[:-1]
        blocks = [DiGCNInceptionConv(*pair, teleport, dropout) for pair in pairwise(widths)]
        self.convs = nn.ModuleList([*blocks, DiGCNInceptionConv(widths[-1], out_channels, teleport)])
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
        *blocks, last = list(self.convs)
        check_features(x, self.convs[0].in_channels, self)  # pyright: ignore[reportArgumentType]
        edges = last.prepare(edge_index, edge_weight, x.size(0))  # pyright: ignore[reportCallIssue]
        for block in blocks:
            h = block.convolve(x, edges).relu()  # pyright: ignore[reportCallIssue]
            x = F.dropout(h, self.dropout, self.training)
        return last.convolve(x, edges)  # pyright: ignore[reportCallIssue]

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for block in self.convs:
            block.reset_parameters()  # pyright: ignore[reportCallIssue]
