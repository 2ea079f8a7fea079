"""Dir-GNN: message passing that treats the two directions of an edge apart."""

from itertools import pairwise
from typing import Literal

from graphlab.directed.checks import hidden_widths, one_of
from graphlab.directed.dir_gat_conv import DirGATConv
from graphlab.directed.dir_gcn_conv import DirGCNConv
from graphlab.directed.dir_sage_conv import DirSAGEConv
from graphlab.directed.jumping_net import Jump, JumpingNet

_CONVS: dict[str, type[DirGCNConv | DirSAGEConv | DirGATConv]] = {
    "gcn": DirGCNConv,
    "sage": DirSAGEConv,
    "gat": DirGATConv,
}


class DirGNN(JumpingNet):
    r"""Dir-GNN, a stack of Dir-GCN, Dir-SAGE or Dir-GAT layers with jumping knowledge.

    .. math::
        H_l = \mathrm{norm}(\mathrm{dropout}(\mathrm{ReLU}(\mathrm{conv}_l(H_{l-1}, A)))), \qquad
        Y = \mathrm{JK}(H_1, \dots, H_L) W + b

    Of `Edge Directionality Improves Learning on Heterophilic Graphs <https://arxiv.org/abs/2305.10498>`_ (Rossi et
    al., 2023).

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Width of the layers.
        out_channels: Number of classes.
        num_layers: Number of layers.
        conv: ``"gcn"``, ``"sage"`` or ``"gat"``.
        alpha: Weight of out-neighbours, in [0, 1]; at 0 or 1 the other direction is not computed and has no
            parameters.
        learn_alpha: Whether ``alpha`` is learned: one number, shared by all layers.
        jk: What the last linear map sees: the last layer (``"none"``), or of all layers the maximum (``"max"``) or
            all side by side (``"cat"``).
        normalize: Whether each row is divided by its L2 norm after each layer.
        dropout: Fraction of hidden units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or sparse CSR
        - **edge_index:** ``(2, num_edges)``
        - **edge_weight:** ``(num_edges,)``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: An argument is out of its range; see the message.

    Example:
        >>> import torch
        >>> from graphlab.directed import DirGNN
        >>> net = DirGNN(8, 16, 3, num_layers=2, alpha=1.0, jk="max")
        >>> net(torch.randn(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 3,
        conv: Literal["gcn", "sage", "gat"] = "gcn",
        alpha: float = 0.5,
        learn_alpha: bool = False,
        jk: Jump = "max",
        normalize: bool = False,
        dropout: float = 0.0,
    ) -> None:
        one_of("conv", conv, _CONVS)
        widths = hidden_widths(in_channels, hidden_channels, num_layers)
        convs = [_CONVS[conv](*pair, alpha, learn_alpha) for pair in pairwise(widths)]
        for layer in convs[1:]:
            layer.alpha = convs[0].alpha
        super().__init__(convs, out_channels, jk, normalize, dropout)
