"""What networks of nodes' classes share."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from graphlab.directed.checks import at_least, check_features, share_to_drop


class NodeNetwork(nn.Module, ABC):
    """Base of networks that give every node of a graph its logits; features may be sparse.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of the hidden layers.
        dropout: Fraction of units dropped while training.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **edge_weight:** ``(num_edges,)``

    Raises:
        ValueError: There are no hidden units, or ``dropout`` is not in [0, 1).
    """

    takes_sparse: ClassVar[bool] = True

    def __init__(self, in_channels: int, hidden_channels: int, dropout: float) -> None:
        super().__init__()
        at_least("hidden_channels", hidden_channels, 1)
        share_to_drop(dropout)
        self.in_channels = in_channels

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Compute the logits of all nodes.

        Args:
            x: Node features.
            edge_index: Edges as a tensor, an ``EdgeIndex``, a transposed sparse adjacency, or a ``Graph``.
            edge_weight: One number per edge, where the network reads any; ``None`` for 1.
        """
        check_features(x, self.in_channels, self)
        return self.logits(x, edge_index, edge_weight)

    @abstractmethod
    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes from features that were checked."""

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for module in self.modules():
            if module is not self and hasattr(module, "reset_parameters"):
                module.reset_parameters()  # pyright: ignore[reportCallIssue]
