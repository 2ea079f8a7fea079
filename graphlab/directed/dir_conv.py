"""What all convolutions share that treat the two directions of an edge apart."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from graphlab.directed.alpha import Alpha
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.operator import Operator


class Directions(NamedTuple):
    """What the edges say, ready for any number of layers."""

    out: Operator
    """Gathers from out-neighbours."""
    into: Operator
    """Gathers from in-neighbours."""


class DirConv(nn.Module, ABC):
    r"""Base of Dir-GNN's layers, of `Edge Directionality Improves Learning on Heterophilic Graphs
    <https://arxiv.org/abs/2305.10498>`_ (Rossi et al., 2023).

    .. math::
        x'_i = \alpha \, f_{out}(x)_i + (1 - \alpha) \, f_{in}(x)_i + W_0 x_i + b

    Where :math:`\alpha` is fixed at 0 or 1, the direction that does not count is neither computed nor given
    parameters.

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
        alpha: Weight of out-neighbours, in [0, 1].
        learn_alpha: Whether ``alpha`` is learned, as the sigmoid of a parameter.
        root_weight: Whether a node's own features enter through :math:`W_0`.

    Raises:
        ValueError: ``alpha`` is outside [0, 1], or at an end of it and to be learned.
    """  # noqa: D205

    direction: Callable[[int, int], nn.Module]
    """Makes :math:`f_{out}` and :math:`f_{in}`: called with ``x`` and an operator."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        alpha: float = 0.5,
        learn_alpha: bool = False,
        root_weight: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.alpha = Alpha(alpha, learn_alpha)
        make = type(self).direction
        self.out = make(in_channels, out_channels) if self.alpha.uses_out else None
        self.into = make(in_channels, out_channels) if self.alpha.uses_in else None
        self.root = FeatureLinear(in_channels, out_channels, bias=False) if root_weight else None
        self.bias = nn.Parameter(torch.empty(out_channels))
        self._reset_bias()

    @abstractmethod
    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Directions:
        """Make of the edges what :meth:`convolve` reads; layers of one kind may share it.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """

    def convolve(self, x: Tensor, edges: Directions) -> Tensor:
        """Run the layer on edges that were prepared.

        Args:
            x: Node features.
            edges: What :meth:`prepare` gave.
        """
        check_features(x, self.in_channels)
        of_out = None if self.out is None else self.out(x, edges.out)
        of_in = None if self.into is None else self.into(x, edges.into)
        result = self.alpha.mix(of_out, of_in) + self.bias
        return result if self.root is None else result + self.root(x)

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Run the layer.

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
        return self.convolve(x, self.prepare(edge_index, edge_weight, x.size(0)))

    def reset_parameters(self) -> None:
        """Draw new parameters."""
        for part in self.children():
            part.reset_parameters()  # pyright: ignore[reportCallIssue]
        self._reset_bias()

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``."""
        return f"{self.in_channels}, {self.out_channels}"

    def _reset_bias(self) -> None:
        bound = self.in_channels**-0.5 if self.in_channels else 0.0
        nn.init.uniform_(self.bias, -bound, bound)


def check_features(x: Tensor, channels: int) -> None:
    """Refuse node features of another width.

    Args:
        x: Node features.
        channels: The width expected.

    Raises:
        ValueError: ``x`` is no matrix of that width.
    """
    if x.dim() != 2 or x.size(1) != channels:
        raise ValueError(
            f"'x' must have shape (num_nodes, {channels}), got {tuple(x.shape)}; "
            f"build the layer with in_channels={x.size(-1) if x.dim() else 1}"
        )
