"""A2DUG: features, rows of adjacencies and hops, of the directed and the undirected graph alike."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from scipy.sparse import csr_array, eye_array
from torch import Tensor, nn

from graphlab.directed.checks import at_least, share_to_drop
from graphlab.directed.csr_tensor import csr_tensor
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.sparse import as_operator, inverse_degree, scaled, simple_adjacency

_SIDES = ("undirected", "out", "in")


class A2DUG(DecoupledModel):
    r"""Adaptive aggregation of directed and undirected graphs.

    .. math::
        y = \operatorname{MLP}\big(\operatorname{MLP}(X) \,\|\, \big\|_{S} \operatorname{MLP}_S(S) \,\|\,
        \big\|_{S} \operatorname{MLP}'_S([\hat S X \| \dots \| \hat S^K X \| \tilde S X \| \dots \| \tilde S^K X])
        \big), \qquad S \in \{A \vee A^\top, A, A^\top\}

    where :math:`\hat S = D_\text{row}^{-1/2} S D_\text{col}^{-1/2}` and :math:`\tilde S` is the same of
    :math:`S + I`. Maekawa, Sasaki & Onizuka, `Why Using Either Aggregated Features or Adjacency Lists in Directed or
    Undirected Graph?`, 2023 (arXiv 2306.08274). A row of an adjacency is a sparse feature of its node, so batches are
    rows of it.

    Args:
        in_channels: Node features.
        hidden_channels: Width of all parts.
        out_channels: Classes.
        num_nodes: Nodes of the graph.
        num_hops: K, the steps of propagation.
        num_layers: Layers of each part and of the last MLP.
        dropout: Fraction of hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``, not negative; no gradient reaches it
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range, or the graph has another number of nodes.

    Example:
        >>> import torch
        >>> from graphlab.directed import A2DUG
        >>> A2DUG(8, 16, 3, num_nodes=4)(torch.rand(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        *,
        num_nodes: int,
        num_hops: int = 2,
        num_layers: int = 1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_channels)
        for name, value in (("hidden_channels", hidden_channels), ("num_layers", num_layers)):
            at_least(name, value, 1)
        share_to_drop(dropout)
        self.num_nodes = at_least("num_nodes", num_nodes, 1)
        self.num_hops = at_least("num_hops", num_hops, 1)

        def part(width: int) -> nn.Sequential:
            return _mlp([width, *[hidden_channels] * num_layers], dropout)

        self.of_features = part(in_channels)
        self.of_rows = nn.ModuleDict({side: part(num_nodes) for side in _SIDES})
        self.of_hops = nn.ModuleDict({side: part(2 * num_hops * in_channels) for side in _SIDES})
        joined = (1 + 2 * len(_SIDES)) * hidden_channels
        self.joined = _mlp([joined, *[hidden_channels] * num_layers], dropout)
        self.head = nn.Linear(hidden_channels, out_channels)

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                module.reset_parameters()

    @property
    def num_blocks(self) -> int:
        """K hops with and without loops of three graphs."""
        return 2 * self.num_hops * len(_SIDES)

    @property
    def recipe(self) -> str:
        """The hops."""
        return f"A2DUG(num_nodes={self.num_nodes}, num_hops={self.num_hops})"

    def propagate(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Iterator[Tensor]:
        """Hops without and with loops of the undirected graph, of out-neighbours and of in-neighbours."""
        for matrix in self._sides(edge_index, edge_weight, x.size(0)).values():
            for whole in (matrix, csr_array(matrix + eye_array(x.size(0), format="csr"))):
                left, right = inverse_degree(whole.sum(axis=1), 0.5), inverse_degree(whole.sum(axis=0), 0.5)
                operator, hop = as_operator(scaled(whole, left, right), x.device), x
                for _ in range(self.num_hops):
                    hop = operator @ hop
                    yield hop

    def adjacency_rows(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> dict[str, Tensor]:
        """What each node is linked to: in any direction, by its out-edges and by its in-edges."""
        sides = self._sides(edge_index, edge_weight, x.size(0))
        return {side: _as_csr(matrix, x) for side, matrix in sides.items()}

    def _sides(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> dict[str, csr_array]:
        if num_nodes != self.num_nodes:
            raise ValueError(f"'x' must have the {self.num_nodes} rows that the network was built for, got {num_nodes}")
        a = simple_adjacency(edge_index, edge_weight, num_nodes=num_nodes)
        transposed = csr_array(a.T)
        return dict(zip(_SIDES, (csr_array(a.maximum(transposed)), a, transposed), strict=True))

    def classify(self, hops: HopFeatures) -> Tensor:
        """Compute the logits of the rows of what :meth:`precompute` gave."""
        self.check_hops(hops)
        by_side = zip(_SIDES, hops.propagated.tensor_split(len(_SIDES), 1), strict=True)
        parts = [self.of_features(hops.features)]
        parts += [self.of_rows[side](hops.sparse[side]) for side in _SIDES]
        parts += [self.of_hops[side](blocks.flatten(1)) for side, blocks in by_side]
        return self.head(self.joined(torch.cat(parts, 1)))


def _mlp(widths: list[int], dropout: float) -> nn.Sequential:
    """Layers of these widths, each activated; the first takes sparse rows too."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [FeatureLinear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


def _as_csr(matrix: csr_array, like: Tensor) -> Tensor:
    rowptr, col, value = (
        torch.from_numpy(part).to(like.device) for part in (matrix.indptr, matrix.indices, matrix.data)
    )
    return csr_tensor(rowptr, col, value.to(like.dtype), matrix.shape)  # pyright: ignore
