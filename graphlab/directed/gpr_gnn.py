"""GPR-GNN: learned weights of the powers of the adjacency."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.checks import at_least
from graphlab.directed.dropout import Dropout
from graphlab.directed.edges import edges_of_gcn
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.node_network import NodeNetwork


class GPRGNN(NodeNetwork):
    r"""Generalised PageRank with learned weights (Chien et al., 2020, arXiv 2006.07988).

    .. math::
        H = W_2\, \text{ReLU}(W_1 X), \qquad
        Y = \sum_{k=0}^{K} \gamma_k (\hat A^\top)^k H
          = \gamma_0 H + \hat A^\top (\gamma_1 H + \hat A^\top (\gamma_2 H + \dots))

    with :math:`\hat A` of :func:`graphlab.directed.gcn_norm`, loops included. The weights begin as those of
    personalised PageRank, :math:`\gamma_k = \alpha (1 - \alpha)^k` and :math:`\gamma_K = (1 - \alpha)^K`, and are
    free: negative ones let high frequencies pass. What is propagated is as wide as there are classes.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of the hidden layer.
        out_channels: Number of classes.
        num_hops: The highest power :math:`K`.
        alpha: The restart probability of the weights at the start, from 0 to 1.
        dropout: Fraction of features and hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``alpha`` is not a probability, or ``num_hops`` is negative.

    Example:
        >>> import torch
        >>> from graphlab.directed import GPRGNN
        >>> net = GPRGNN(3, 8, 2, num_hops=4)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_hops: int = 10,
        alpha: float = 0.1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        self.num_hops = at_least("num_hops", num_hops, 0)
        if not 0 <= alpha <= 1:
            raise ValueError(f"'alpha' must be a probability between 0 and 1, got {alpha}")
        self.alpha = float(alpha)
        self.first = FeatureLinear(in_channels, hidden_channels)
        self.second = nn.Linear(hidden_channels, out_channels)
        self.dropout = Dropout(dropout)
        self.gamma = nn.Parameter(self._pagerank())

    def _pagerank(self) -> Tensor:
        gamma = (1 - self.alpha) ** torch.arange(self.num_hops + 1)
        gamma[:-1] *= self.alpha
        return gamma

    def reset_parameters(self) -> None:
        """Draw new weights; those of the powers begin anew."""
        super().reset_parameters()
        with torch.no_grad():
            self.gamma.copy_(self._pagerank())

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``."""
        return f"num_hops={self.num_hops}, alpha={self.alpha}"

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        adjacency = edges_of_gcn(x, edge_index, edge_weight)
        h = self.second(self.dropout(self.first(self.dropout(x)).relu()))
        out = self.gamma[-1] * h
        for gamma in reversed(self.gamma[:-1]):
            out = adjacency @ out + gamma * h
        return out
