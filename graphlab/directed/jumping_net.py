"""Layers one after another, and a linear map of what all of them, or the last one, found."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from graphlab.directed.checks import at_least, check_features, one_of, share_to_drop
from graphlab.directed.prepared_conv import PreparedConv

Jump = Literal["none", "max", "cat"]


class JumpingNet(nn.Module):
    r"""Base of networks of directed layers with jumping knowledge.

    .. math::
        H_l = \mathrm{norm}(\mathrm{dropout}(\mathrm{ReLU}(\mathrm{conv}_l(H_{l-1})))), \qquad
        Y = \mathrm{JK}(H_1, \dots, H_L) W + b

    Of `Representation Learning on Graphs with Jumping Knowledge Networks <https://arxiv.org/abs/1806.03536>`_ (Xu et
    al., 2018). The layers are of one kind and read the same prepared edges.

    Args:
        convs: The layers.
        out_channels: Number of classes.
        jk: What the last linear map sees: the last layer (``"none"``), or of all layers the maximum or all side by
            side.
        normalize: Whether each row is divided by its L2 norm after each layer.
        dropout: Fraction of hidden units dropped while training.
        negative_slope: The slope of the activation below zero; 0 for ReLU.

    Raises:
        ValueError: There is no layer, ``jk`` is unknown, or ``dropout`` is not in [0, 1).
    """

    takes_sparse: ClassVar[bool] = True

    def __init__(
        self,
        convs: Sequence[PreparedConv],
        out_channels: int,
        jk: Jump = "none",
        normalize: bool = False,
        dropout: float = 0.0,
        negative_slope: float = 0.0,
    ) -> None:
        super().__init__()
        at_least("num_layers", len(convs), 1)
        self.convs = nn.ModuleList(convs)
        self.jk: Jump = one_of("jk", jk, get_args(Jump))  # pyright: ignore[reportAttributeAccessIssue]
        self.normalize, self.dropout, self.negative_slope = normalize, share_to_drop(dropout), negative_slope
        width = convs[-1].out_channels
        self.head = nn.Linear(width * len(convs) if jk == "cat" else width, out_channels)

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Compute the logits of all nodes.

        Args:
            x: Node features, dense or sparse CSR.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``.
            edge_weight: One number per edge, 0 or more; ``None`` for 1.

        Shapes:
            - **x:** ``(num_nodes, in_channels)``
            - **edge_index:** ``(2, num_edges)``
            - **edge_weight:** ``(num_edges,)``
            - **output:** ``(num_nodes, out_channels)``
        """
        first, states = self._layers()[0], []
        check_features(x, first.in_channels, self)
        edges = first.prepare(edge_index, edge_weight, x.size(0))
        for conv in self._layers():
            x = F.dropout(self._activate(conv.convolve(x, edges)), self.dropout, self.training)
            x = unit_rows(x) if self.normalize else x
            states.append(x)
        return self.head(self._jump(states))

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for part in (*self._layers(), self.head):
            part.reset_parameters()

    def _layers(self) -> list[PreparedConv]:
        return list(self.convs)  # pyright: ignore[reportReturnType]

    def _activate(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope) if self.negative_slope else x.relu()

    def _jump(self, states: list[Tensor]) -> Tensor:
        if self.jk == "cat":
            return torch.cat(states, dim=1)
        return torch.stack(states).max(dim=0).values if self.jk == "max" else states[-1]


def unit_rows(x: Tensor) -> Tensor:
    """Divide each row by its L2 norm; a row of zeros stays. As ``F.normalize``, in two thirds of its time.

    Args:
        x: Node features.

    Shapes:
        - **x, output:** ``(num_nodes, channels)``
    """
    return x * x.square().sum(dim=1, keepdim=True).clamp(min=1e-24).rsqrt()
