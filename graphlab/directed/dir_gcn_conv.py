"""Graph convolution that weighs out- and in-neighbours apart."""

from typing import Any

from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.dir_conv import DirConv, Directions
from graphlab.directed.gathered_linear import GatheredLinear
from graphlab.directed.normalization import dir_norm


class DirGCNConv(DirConv):
    r"""Dir-GCN: a graph convolution along the edges and one against them.

    .. math::
        X' = \alpha \, \hat A X W_1 + (1 - \alpha) \, \hat A^\top X W_2 + b, \qquad
        \hat A = D_{out}^{-1/2} A D_{in}^{-1/2}

    Of `Edge Directionality Improves Learning on Heterophilic Graphs <https://arxiv.org/abs/2305.10498>`_ (Rossi et
    al., 2023); no loops are added. PyG's ``DirGNNConv(GCNConv(...))`` divides by the in-degrees of both ends of an
    edge, so the two agree where each node has as many edges out as in. There :math:`W_1` (``out.weight``) is its
    ``conv_out.lin.weight``, :math:`W_2` (``into.weight``) its ``conv_in.lin.weight``, ``root.weight`` its
    ``lin.weight``, and ``bias`` is :math:`\alpha` times ``conv_out.bias``, :math:`1 - \alpha` times ``conv_in.bias``
    and ``lin.bias``.

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
        alpha: Weight of out-neighbours, in [0, 1]; at 0 or 1 the other direction is not computed and has no
            parameters.
        learn_alpha: Whether ``alpha`` is learned, as the sigmoid of a parameter.
        root_weight: Whether to add :math:`X W_0`.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``alpha`` is outside [0, 1], or at an end of it and to be learned.

    Example:
        >>> import torch
        >>> from graphlab.directed import DirGCNConv
        >>> conv = DirGCNConv(8, 16, alpha=1.0)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        alpha: float = 0.5,
        learn_alpha: bool = False,
        root_weight: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, GatheredLinear, alpha, learn_alpha, root_weight)

    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Directions:
        """Normalise the edges by the degrees at both ends.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """
        graph, weight = checked_edges(edge_index, edge_weight, num_nodes)
        normalized = dir_norm(graph, weight, num_nodes=num_nodes)
        return Directions(normalized, normalized.T)
