"""Normalisation of node features by name."""

from torch import Tensor, nn
from torch.nn import functional as F

from graphlab.directed.checks import one_of


class NodeBatchNorm(nn.BatchNorm1d):
    r"""``torch.nn.BatchNorm1d`` that also takes graphs of fewer than two nodes, which have no variance.

    .. math::
        y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    They are normalised by the running statistics, and leave those as they are.

    Args:
        num_features: Columns of the input.

    Shapes:
        - **input, output:** ``(num_nodes, num_features)``
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each column."""
        if self.training and input.size(0) < 2:
            return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)


def make_norm(norm: str, channels: int) -> nn.Module:
    """Build the layer that ``norm`` names.

    Args:
        norm: ``"none"``, ``"batch"`` or ``"layer"``.
        channels: The width of the features.

    Raises:
        ValueError: ``norm`` is unknown.
    """
    norms = {"none": lambda _: nn.Identity(), "batch": NodeBatchNorm, "layer": nn.LayerNorm}
    return norms[one_of("norm", norm, norms)](channels)
