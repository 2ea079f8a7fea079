"""What networks of nodes' classes share."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn


class NodeNetwork(nn.Module, ABC):
    """Base of networks that give every node of a graph its logits; features may be sparse."""

    takes_sparse: ClassVar[bool] = True

    @abstractmethod
    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Compute the logits of all nodes."""

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for module in self.modules():
            if module is not self and hasattr(module, "reset_parameters"):
                module.reset_parameters()  # pyright: ignore[reportCallIssue]
