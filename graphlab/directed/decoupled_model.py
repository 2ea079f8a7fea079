"""Networks that propagate once, before training, and then see one row at a time."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn


class DecoupledModel(nn.Module, ABC):
    r"""Base of networks whose propagation has no parameters.

    .. math::
        y_i = f_\theta(H_i), \qquad H = \text{precompute}(X, A)

    ``precompute`` runs once per data set; training and inference then read rows of ``H`` alone, so a batch is any set
    of rows, and its logits are those of the whole graph.
    """

    @abstractmethod
    def precompute(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Any:
        """Propagate the features; what comes can be indexed by rows (``hops[rows]``) and given to :meth:`classify`."""

    @abstractmethod
    def classify(self, hops: Any) -> Tensor:
        """Compute the logits of the rows of what :meth:`precompute` gave."""

    def forward(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None = None) -> Tensor:
        """Compute the logits of all nodes: :meth:`precompute`, then :meth:`classify`."""
        return self.classify(self.precompute(x, edge_index, edge_weight))
