"""GraphSAGE that takes the means of out- and in-neighbours apart."""

from typing import Any

from torch import Tensor

from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.dir_conv import DirConv, Directions
from graphlab.directed.gathered_linear import GatheredLinear
from graphlab.directed.operator import Operator
from graphlab.directed.row_norm import row_norm


class DirSAGEConv(DirConv):
    r"""Dir-SAGE: a node's own features, the mean of its out-neighbours and that of its in-neighbours.

    .. math::
        X' = X W_0 + \alpha \, D_{out}^{-1} A X W_1 + (1 - \alpha) \, D_{in}^{-1} A^\top X W_2 + b

    Of `Edge Directionality Improves Learning on Heterophilic Graphs <https://arxiv.org/abs/2305.10498>`_ (Rossi et
    al., 2023). Equal to PyG's ``DirGNNConv(SAGEConv(...))``, where :math:`W_0` (``root.weight``) is ``lin.weight``,
    :math:`W_1` (``out.weight``) is ``conv_out.lin_l.weight``, :math:`W_2` (``into.weight``) is
    ``conv_in.lin_l.weight``, and ``bias`` is ``lin.bias`` and :math:`\alpha` times ``conv_out.lin_l.bias`` and
    :math:`1 - \alpha` times ``conv_in.lin_l.bias``. With edge weights the means are weighted.

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
        >>> from graphlab.directed import DirSAGEConv
        >>> conv = DirSAGEConv(8, 16)
        >>> conv(torch.randn(3, 8), torch.tensor([[0, 1, 2], [1, 2, 0]])).shape
        torch.Size([3, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        alpha: float = 0.5,
        learn_alpha: bool = False,
        root_weight: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, GatheredLinear, alpha, learn_alpha, root_weight)

    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Directions:
        """Divide the edges by the degrees of the nodes that gather.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """
        incoming, weight = checked_edges(edge_index, edge_weight, num_nodes)
        return Directions(row_norm(Operator(incoming.reverse(), weight)), row_norm(Operator(incoming, weight)))
