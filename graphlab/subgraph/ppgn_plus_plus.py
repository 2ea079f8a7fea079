"""PPGN with equivariant polynomials, which tells strongly regular graphs apart."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from graphlab.subgraph.dense_pairs import DensePairs
from graphlab.subgraph.equivariant_polynomials import NUM_POLYNOMIALS, check_degree, equivariant_polynomials
from graphlab.subgraph.ppgn import PPGN
from graphlab.subgraph.ppgn_block import PPGNBlock
from graphlab.subgraph.ppgn_plus_plus_block import PPGNPlusPlusBlock


class PPGNPlusPlus(PPGN):
    r"""PPGN++: a network on pairs of nodes that is stronger than 3-WL.

    .. math::
        X_0 = [A, \log(1 + P_1(A)), \dots, \log(1 + P_k(A)), E, \mathrm{diag}(x)]

    and then as :class:`PPGN` with blocks that see an identity and transposes. The :math:`P` are the polynomials of
    :func:`equivariant_polynomials`. Of `Equivariant Polynomials for Graph Neural Networks
    <https://arxiv.org/abs/2302.11556>`_ (Puny et al., 2023); the logarithm keeps counts of many thousands in range.

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Number of channels of the blocks.
        out_channels: Width of the output.
        num_layers: Number of blocks.
        frequency: The :math:`\omega` of the activations.
        edge_dim: Width of ``edge_attr``; 0 for none.
        degree: 5 for one polynomial, 6 for all twelve.

    Raises:
        ValueError: ``degree`` is not 5 or 6, or a width but ``edge_dim`` or the number of blocks is below 1.

    Example:
        >>> import torch
        >>> from graphlab.subgraph import PPGNPlusPlus
        >>> edge_index = torch.tensor([[0, 1, 2, 3], [1, 0, 3, 2]])
        >>> PPGNPlusPlus(4, 8, 3)(torch.randn(4, 4), edge_index, torch.tensor([0, 0, 1, 1])).shape
        torch.Size([2, 3])
    """

    block: ClassVar[type[PPGNBlock]] = PPGNPlusPlusBlock

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 5,
        frequency: float = 1.0,
        edge_dim: int = 0,
        degree: int = 5,
    ) -> None:
        self._num_polynomials = NUM_POLYNOMIALS[check_degree(degree)]
        super().__init__(in_channels, hidden_channels, out_channels, num_layers, frequency, edge_dim)
        self.degree = degree

    def _setup(self, channels: int, hidden_channels: int, out_channels: int, num_layers: int, frequency: float) -> None:
        super()._setup(channels + self._num_polynomials, hidden_channels, out_channels, num_layers, frequency)

    def forward(
        self,
        x: Tensor,
        edge_index: Any,
        batch: Tensor | None = None,
        batch_size: int | None = None,
        edge_attr: Tensor | None = None,
        polynomials: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Compute one vector for each graph.

        Args:
            x: Node features.
            edge_index: The edges of undirected graphs, both ways.
            batch: The graph of each node, sorted; ``None`` for one graph.
            batch_size: The number of graphs; ``None`` for one more than the largest in ``batch``.
            edge_attr: Features of the edges.
            polynomials: ``polynomial_index`` and ``polynomial_value`` of :class:`EquivariantPolynomials`; ``None`` to
                compute them, which is remembered for the same edges.

        Shapes:
            - **x:** ``(num_nodes, in_channels)``
            - **edge_index:** ``(2, num_edges)``
            - **batch:** ``(num_nodes,)``
            - **edge_attr:** ``(num_edges, edge_dim)``
            - **output:** ``(batch_size, out_channels)``

        Raises:
            ValueError: A shape or a type does not fit, edges go one way only or lead out of their graph, or ``batch``
                is not sorted.
        """
        pairs = self._pairs(x, batch, batch_size)
        edges, nodes = self._edge_channels(x, edge_index, edge_attr, pairs)
        if polynomials is None:
            polynomials = equivariant_polynomials(edge_index, None, self.degree, pairs.batch, pairs.batch_size)
        return self._network(torch.cat([edges, self._polynomial_channels(x, *polynomials, pairs), nodes]), pairs)

    def _polynomial_channels(self, x: Tensor, index: Tensor, value: Tensor, pairs: DensePairs) -> Tensor:
        expected = (index.size(-1), self._num_polynomials)
        if value.shape != expected:
            raise ValueError(
                f"'polynomials' must hold values of shape {expected}, got {tuple(value.shape)}; "
                f"make them by EquivariantPolynomials(degree={self.degree})"
            )
        channels = x.new_zeros(self._num_polynomials, pairs.num_pairs)
        return channels.index_copy(1, pairs.places("polynomials", index), value.to(x.dtype).log1p().T)
