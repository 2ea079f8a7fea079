"""Graph attention that attends to out- and in-neighbours apart."""

from typing import Any

from torch import Tensor

from graphlab.directed.attended_linear import AttendedLinear
from graphlab.directed.checked_edges import checked_edges
from graphlab.directed.dir_conv import DirConv, Directions
from graphlab.directed.operator import Operator


class DirGATConv(DirConv):
    r"""Dir-GAT: attention over a node's out-neighbours and, apart from it, over its in-neighbours.

    .. math::
        X' = \alpha \, \mathrm{GAT}_{out}(X) + (1 - \alpha) \, \mathrm{GAT}_{in}(X) + b

    Of `Edge Directionality Improves Learning on Heterophilic Graphs <https://arxiv.org/abs/2305.10498>`_ (Rossi et
    al., 2023), with one head, on :func:`graphlab.ops.gat_attention`. PyG's ``DirGNNConv(GATConv(...))`` adds no
    loops: with ``add_self_loops=False`` the two are equal, where ``out.weight``, ``out.att_source`` and
    ``out.att_target`` are ``lin.weight``, ``att_src`` and ``att_dst`` of its ``conv_out``, those of ``into`` are of
    its ``conv_in``, ``root.weight`` is its ``lin.weight``, and ``bias`` is :math:`\alpha` times ``conv_out.bias``,
    :math:`1 - \alpha` times ``conv_in.bias`` and ``lin.bias``.

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
        alpha: Weight of out-neighbours, in [0, 1]; at 0 or 1 the other direction is not computed and has no
            parameters.
        learn_alpha: Whether ``alpha`` is learned, as the sigmoid of a parameter.
        root_weight: Whether to add :math:`X W_0`.
        add_self_loops: Whether each node also attends to itself, as in the paper's own code.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``alpha`` is outside [0, 1], or at an end of it and to be learned; edges have weights.

    Example:
        >>> import torch
        >>> from graphlab.directed import DirGATConv
        >>> conv = DirGATConv(8, 16)
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
        add_self_loops: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, AttendedLinear, alpha, learn_alpha, root_weight)
        self.add_self_loops = add_self_loops

    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Directions:
        """Add the loops.

        Args:
            edge_index: As for ``forward``.
            edge_weight: Must be ``None``: attention weighs the edges itself.
            num_nodes: The number of nodes.
        """
        incoming, weight = checked_edges(edge_index, edge_weight, num_nodes)
        if weight is not None:
            raise ValueError("'edge_weight' must be None: attention weighs the edges itself; use conv='gcn' or 'sage'")
        if self.add_self_loops:
            incoming = incoming.with_self_loops()
        return Directions(Operator(incoming.reverse()), Operator(incoming))
