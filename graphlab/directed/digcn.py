"""DiGCN: graph convolutions on an operator from a personalised PageRank."""

from itertools import pairwise

from graphlab.directed.checks import hidden_widths
from graphlab.directed.digcn_conv import DiGCNConv
from graphlab.directed.jumping_net import JumpingNet


class DiGCN(JumpingNet):
    r"""DiGCN, a stack of graph convolutions on the operator of a personalised PageRank.

    .. math::
        H_l = \mathrm{dropout}(\mathrm{ReLU}(\hat L H_{l-1} W_l + b_l)), \qquad Y = H_L W + b

    Of `Digraph Inception Convolutional Networks <https://arxiv.org/abs/2010.13973>`_ (Tong et al., 2020).

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Width of the layers.
        out_channels: Number of classes.
        num_layers: Number of layers.
        teleport: Probability with which the walk goes to any node, between 0 and 1.
        dropout: Fraction of hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range; see the message.

    Example:
        >>> import torch
        >>> from graphlab.directed import DiGCN
        >>> net = DiGCN(8, 16, 3)
        >>> net(torch.randn(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        teleport: float = 0.1,
        dropout: float = 0.5,
    ) -> None:
        widths = hidden_widths(in_channels, hidden_channels, num_layers)
        convs = [DiGCNConv(*pair, teleport) for pair in pairwise(widths)]
        super().__init__(convs, out_channels, dropout=dropout)
