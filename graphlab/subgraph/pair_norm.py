"""Normalisation of the features of pairs and nodes."""

from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import GraphNorm

NORMS = ("batch_norm", "graph_norm", None)


class _BatchNorm(nn.BatchNorm1d):
    def forward(self, x: Tensor, batch: Tensor | None, batch_size: int | None = None) -> Tensor:  # pyright: ignore
        if self.training and x.size(0) == 1:
            # One row has no variance: it is held against what was seen before.
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


class _NoNorm(nn.Module):
    def reset_parameters(self) -> None:
        """Nothing to draw."""

    def forward(self, x: Tensor, batch: Tensor | None, batch_size: int | None = None) -> Tensor:
        return x


def pair_norm(norm: str | None, channels: int) -> nn.Module:
    """Make a normalisation that takes rows, the graph of each row and the number of graphs.

    Args:
        norm: ``"batch_norm"``, ``"graph_norm"`` (Cai et al., 2021, arXiv 2009.03294) or ``None``.
        channels: Width of the rows.

    Raises:
        ValueError: There is no such normalisation.
    """
    if norm not in NORMS:
        raise ValueError(f"'norm' must be one of {', '.join(map(repr, NORMS))}, got {norm!r}")
    if norm is None:
        return _NoNorm()
    return _BatchNorm(channels) if norm == "batch_norm" else GraphNorm(channels)
