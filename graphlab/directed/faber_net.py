"""FaberNet: holomorphic filters of a directed graph, layer by layer."""

from itertools import pairwise

from graphlab.directed.checks import hidden_widths
from graphlab.directed.complex_faber_conv import ComplexFaberConv
from graphlab.directed.faber_conv import FaberConv
from graphlab.directed.horner import Decay
from graphlab.directed.jumping_net import Jump, JumpingNet


class FaberNet(JumpingNet):
    r"""FaberNet, a stack of polynomials of the adjacency and its transpose with jumping knowledge.

    .. math::
        H_l = \mathrm{norm}(\mathrm{dropout}(\mathrm{LeakyReLU}(\mathrm{conv}_l(H_{l-1}, A)))), \qquad
        Y = \mathrm{JK}(H_1, \dots, H_L) W + b

    Of `HoloNets: Spectral Convolutions do extend to Directed Graphs <https://arxiv.org/abs/2310.02232>`_ (Koke and
    Cremers, 2024). With ``complex_weights`` the activation, dropout and jumping knowledge treat real and imaginary
    parts alike, and the last linear map sees both; parameters with ``imag`` in their name are the imaginary parts.

    Args:
        in_channels: Width of ``x``.
        hidden_channels: Width of the layers; of complex ones, the number of complex columns.
        out_channels: Number of classes.
        num_layers: Number of layers.
        order: The highest power in a layer.
        alpha: Weight of out-neighbours, in [0, 1]; at 0 or 1 the other direction is not computed and has no
            parameters.
        learn_alpha: Whether ``alpha`` is learned: one number, shared by all layers.
        decay: The weights of the powers: ``"none"`` for 1, ``"exp"`` for :math:`2^{-k}`, ``"lin"`` for :math:`1 / k`.
        zero_order: Whether a layer also sees what is not propagated.
        complex_weights: Whether weights are complex.
        negative_slope: The slope of the activation below zero; 0 for ReLU.
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
        >>> from graphlab.directed import FaberNet
        >>> net = FaberNet(8, 16, 3, num_layers=2, order=3, complex_weights=True)
        >>> net(torch.randn(4, 8), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 3,
        order: int = 1,
        alpha: float = 0.5,
        learn_alpha: bool = False,
        decay: Decay = "exp",
        zero_order: bool = False,
        complex_weights: bool = False,
        negative_slope: float = 0.0,
        jk: Jump = "max",
        normalize: bool = False,
        dropout: float = 0.0,
    ) -> None:
        given = (order, alpha, learn_alpha, decay, zero_order)
        if complex_weights:
            widths = [in_channels] + [2 * hidden_channels] * num_layers
            convs = [ComplexFaberConv(*pair, *given, real_input=i == 0) for i, pair in enumerate(pairwise(widths))]
        else:
            widths = hidden_widths(in_channels, hidden_channels, num_layers)
            convs = [FaberConv(*pair, *given) for pair in pairwise(widths)]
        for layer in convs[1:]:
            layer.alpha = convs[0].alpha
        super().__init__(convs, out_channels, jk, normalize, dropout, negative_slope)
