"""GloGNN: every node draws on all others, with coefficients in closed form."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.directed.adjacency_linear import AdjacencyLinear
from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.checks import at_least
from graphlab.directed.dropout import Dropout
from graphlab.directed.edges import edges_of_gcn
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.node_network import NodeNetwork
from graphlab.directed.operator import Operator

_OPTIONS = ("num_layers", "num_hops", "delta", "gamma", "beta1", "beta2")


class GloGNN(NodeNetwork):
    r"""Global aggregation with coefficients that fit the features (Li et al., 2022, arXiv 2205.07308).

    .. math::
        H^{(0)} = W_2\, \text{ReLU}((1 - \delta) W_X X + \delta W_A A), \qquad
        H^{(l+1)} = (1 - \gamma) Z^{(l)} H^{(l)} + \gamma H^{(0)}

    where :math:`Z^{(l)}`, all nodes by all nodes, minimises

    .. math::
        \|H - (1 - \gamma) Z H - \gamma H^{(0)}\|^2 + \beta_1 \|Z\|^2 + \beta_2 \|Z - P\|^2, \qquad
        P = \sum_{k=1}^{K} \lambda_k \hat A^k

    It is never formed. With :math:`Q = H ((1 - \gamma)^2 H^\top H + (\beta_1 + \beta_2) I)^{-1}` (the Woodbury
    identity)

    .. math::
        Z H = (1 - \gamma) (H - \gamma H^{(0)}) H^\top Q + \beta_2 P Q

    in time :math:`O(n C^2 + K |E| C)` for :math:`C` classes. :math:`\hat A` is that of GCN along the edges, and
    :math:`\lambda` is learned from :math:`1 / K` on. Each node has parameters of its own.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of the hidden layer.
        out_channels: Number of classes.
        num_nodes: Number of nodes.
        num_layers: Number of aggregations.
        num_hops: The highest power :math:`K`.
        delta: The adjacency's share in the first features, from 0 to 1.
        gamma: The first features' share in each layer, at least 0 and below 1.
        beta1: How small coefficients are to be, above 0 together with ``beta2``.
        beta2: How close to the graph's powers coefficients are to be.
        dropout: Fraction of hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: The graph has another number of nodes, or a share or penalty is out of range.

    Example:
        >>> import torch
        >>> from graphlab.directed import GloGNN
        >>> net = GloGNN(3, 8, 2, num_nodes=4)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_nodes: int,
        num_layers: int = 2,
        num_hops: int = 2,
        delta: float = 0.5,
        gamma: float = 0.3,
        beta1: float = 1.0,
        beta2: float = 1.0,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        self.num_layers = at_least("num_layers", num_layers, 0)
        self.num_hops = at_least("num_hops", num_hops, 1)
        _check_shares(delta, gamma, beta1, beta2)
        self.delta, self.gamma, self.beta1, self.beta2 = delta, gamma, beta1, beta2
        self.of_features = FeatureLinear(in_channels, hidden_channels)
        self.of_edges = AdjacencyLinear(num_nodes, hidden_channels)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(hidden_channels, out_channels)
        self.powers = nn.Parameter(torch.full((num_layers, num_hops), 1 / num_hops))

    def reset_parameters(self) -> None:
        """Draw new weights; those of the powers begin anew."""
        super().reset_parameters()
        nn.init.constant_(self.powers, 1 / self.num_hops)

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in _OPTIONS)

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        self.of_edges.check_nodes(x)
        graph, edge_weight = checked_edges(edge_index, edge_weight, x.size(0))
        adjacency = edges_of_gcn(x, graph, edge_weight)
        mixed = (1 - self.delta) * self.of_features(x) + self.delta * self.of_edges(graph, edge_weight)
        first = h = self.head(self.dropout(mixed.relu()))
        for powers in self.powers:
            h = (1 - self.gamma) * self._gather_from_all(h, first, adjacency, powers) + self.gamma * first
        return h

    def _gather_from_all(self, h: Tensor, first: Tensor, adjacency: Operator, powers: Tensor) -> Tensor:
        """The product of the coefficients and the features."""
        kept, ridge = 1 - self.gamma, self.beta1 + self.beta2
        # There is no solver in half precision.
        wide = h.to(torch.promote_types(h.dtype, torch.float32))
        gram = wide.T @ wide
        eye = torch.eye(len(gram), dtype=wide.dtype, device=h.device)
        # The matrix is symmetric, so that solving from the left serves a product from the right.
        q = torch.linalg.solve(kept**2 * gram + ridge * eye, wide.T).T.to(h.dtype)
        near = torch.zeros_like(q)
        for weight in reversed(powers):
            near = adjacency @ (weight * q + near)
        return kept * (h - self.gamma * first) @ (h.T @ q) + self.beta2 * near


def _check_shares(delta: float, gamma: float, beta1: float, beta2: float) -> None:
    for name, value, fits, expected in (
        ("delta", delta, 0 <= delta <= 1, "from 0 to 1"),
        ("gamma", gamma, 0 <= gamma < 1, "at least 0 and below 1"),
        ("beta1", beta1, beta1 >= 0 and beta1 + beta2 > 0, "at least 0, and above 0 where 'beta2' is 0"),
        ("beta2", beta2, beta2 >= 0, "at least 0"),
    ):
        if not fits:
            raise ValueError(f"'{name}' must be {expected}, got {value}")
