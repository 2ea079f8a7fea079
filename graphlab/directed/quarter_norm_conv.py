"""What FaberNet's layers propagate with."""

from typing import Any

from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.dir_conv import DirConv, Directions
from graphlab.directed.normalization import dir_norm


class QuarterNormConv(DirConv):
    r"""Base of layers on edges that are divided by the fourth roots of the degrees at both ends.

    .. math::
        T = D_{out}^{-1/4} A D_{in}^{-1/4}

    Of `HoloNets: Spectral Convolutions do extend to Directed Graphs <https://arxiv.org/abs/2310.02232>`_ (Koke and
    Cremers, 2024).
    """

    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Directions:
        """Normalise the edges by the degrees at both ends.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """
        graph, weight = checked_edges(edge_index, edge_weight, num_nodes)
        normalized = dir_norm(graph, weight, num_nodes=num_nodes, exponent=0.25)
        return Directions(normalized, normalized.T)
