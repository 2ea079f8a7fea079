"""Layers that share what they make of the edges."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from graphlab.directed.checks import check_features


class PreparedConv(nn.Module, ABC):
    r"""Base of layers in two steps, so that a network takes the first of them once for all its layers.

    .. math::
        X' = \text{convolve}(X, \text{prepare}(A))

    Args:
        in_channels: Width of ``x``.
        out_channels: Width of the result.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels

    @abstractmethod
    def prepare(self, edge_index: Any, edge_weight: Tensor | None, num_nodes: int) -> Any:
        """Make of the edges what :meth:`convolve` reads; layers of one kind may share it.

        Args:
            edge_index: As for ``forward``.
            edge_weight: As for ``forward``.
            num_nodes: The number of nodes.
        """

    @abstractmethod
    def convolve(self, x: Tensor, edges: Any) -> Tensor:
        """Run the layer on edges that were prepared.

        Args:
            x: Node features.
            edges: What :meth:`prepare` gave.
        """

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
        check_features(x, self.in_channels, self)
        return self.convolve(x, self.prepare(edge_index, edge_weight, x.size(0)))

    @abstractmethod
    def reset_parameters(self) -> None:
        """Draw new parameters."""

    def extra_repr(self) -> str:
        """What stands between the brackets of ``repr``."""
        return f"{self.in_channels}, {self.out_channels}"


def draw_bias(bias: nn.Parameter, in_channels: int) -> None:
    """Draw a bias as ``torch.nn.Linear`` does.

    Args:
        bias: What to fill.
        in_channels: Width of the features that are transformed.
    """
    bound = in_channels**-0.5 if in_channels else 0.0
    nn.init.uniform_(bias, -bound, bound)
