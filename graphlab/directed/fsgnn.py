"""FSGNN: hops with and without loops, each with a layer of its own and a learned weight."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from scipy.sparse import csr_array, eye_array
from torch import Tensor, nn
from torch.nn import functional as F

from graphlab.directed.checks import at_least, share_to_drop
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.feature_linear import feature_matmul
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.sparse import as_operator, simple_adjacency, symmetrically_normalized


class FSGNN(DecoupledModel):
    r"""Feature selection graph neural network.

    .. math::
        \mathcal{X} = \{X, A X, \tilde A X, \dots, A^K X, \tilde A^K X\}, \quad
        Z_l = \mathcal{X}_l W_l + c_l, \quad
        y = W \operatorname{dropout}\Big(\operatorname{relu}\Big(\big\|_{l} \,
        \operatorname{softmax}(s)_l \frac{Z_l}{\lVert Z_l \rVert_2}\Big)\Big) + b

    with :math:`A` and :math:`\tilde A` the symmetrically normalised adjacency without and with loops, edges being read
    in both directions. Maurya, Liu & Murata, `Improving Graph Neural Networks with Simple Architecture Design`, 2021
    (arXiv 2105.07634).

    Args:
        in_channels: Node features.
        hidden_channels: Width of each hop's hidden features.
        out_channels: Classes.
        num_hops: K, the steps of propagation.
        hop_norm: Whether each hop's hidden features are scaled to length 1.
        dropout: Fraction of hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``, not negative; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> import torch
        >>> from graphlab.directed import FSGNN
        >>> FSGNN(8, 16, 3)(torch.rand(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        *,
        num_hops: int = 3,
        hop_norm: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_channels)
        at_least("hidden_channels", hidden_channels, 1)
        self.num_hops, self.hop_norm = at_least("num_hops", num_hops, 1), hop_norm
        self.dropout = share_to_drop(dropout)
        self.weight = nn.Parameter(torch.empty(1 + self.num_blocks, in_channels, hidden_channels))
        self.bias = nn.Parameter(torch.empty(1 + self.num_blocks, hidden_channels))
        self.score = nn.Parameter(torch.empty(1 + self.num_blocks))
        self.head = nn.Linear((1 + self.num_blocks) * hidden_channels, out_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew; hops begin with equal weights."""
        bound = 1 / math.sqrt(max(1, self.in_channels))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        nn.init.ones_(self.score)
        self.head.reset_parameters()

    @property
    def num_blocks(self) -> int:
        """Each hop with and without loops."""
        return 2 * self.num_hops

    @property
    def recipe(self) -> str:
        """The hops."""
        return f"FSGNN(num_hops={self.num_hops})"

    def propagate(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Iterator[Tensor]:
        """Hops without loops, then those with."""
        a = simple_adjacency(edge_index, edge_weight, num_nodes=x.size(0))
        both = csr_array(a.maximum(a.T))
        for matrix in (both, csr_array(both + eye_array(x.size(0), format="csr"))):
            operator, hop = as_operator(symmetrically_normalized(matrix), x.device), x
            for _ in range(self.num_hops):
                hop = operator @ hop
                yield hop

    def classify(self, hops: HopFeatures) -> Tensor:
        """Compute the logits of the rows of what :meth:`precompute` gave."""
        self.check_hops(hops)
        first = feature_matmul(hops.features, self.weight[0])
        hidden = torch.cat([first[None], torch.bmm(hops.propagated.transpose(0, 1), self.weight[1:])])
        hidden = hidden + self.bias[:, None]
        if self.hop_norm:
            hidden = F.normalize(hidden, dim=2)
        hidden = F.relu(hidden * self.score.softmax(0)[:, None, None]).transpose(0, 1).flatten(1)
        return self.head(F.dropout(hidden, self.dropout, self.training))
