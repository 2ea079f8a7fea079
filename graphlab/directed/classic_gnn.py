"""Classic graph networks with what makes them strong: depth, residual connections, normalisation."""

from typing import Any, Literal

from torch import Tensor, nn

from graphlab.directed.checks import at_least, one_of
from graphlab.directed.dropout import Dropout
from graphlab.directed.edges import edges_of_gcn, unweighted_edges
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.gat_conv import GATConv
from graphlab.directed.gcn_conv import GCNConv
from graphlab.directed.node_network import NodeNetwork
from graphlab.directed.node_norm import make_norm
from graphlab.directed.sage_conv import SAGEConv


class ClassicGNN(NodeNetwork):
    r"""GCN, GraphSAGE or GAT, tuned (Luo et al., 2024, "Classic GNNs are Strong Baselines", arXiv 2406.08993).

    .. math::
        h^{(k)} = \text{dropout}(\text{ReLU}(\text{norm}(\text{conv}_k(h^{(k-1)}) [+ R_k h^{(k-1)}]))), \qquad
        y = W h^{(K)} + b

    where :math:`h^{(0)}` is ``x``, or with ``pre_linear`` a linear map of it with dropout. The defaults are a plain
    GCN of two layers. The deep networks of the paper have ``residual=True`` and ``norm="batch"``.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of the layers.
        out_channels: Number of classes.
        num_layers: Number of convolutions.
        conv: ``"gcn"``, ``"sage"`` (mean) or ``"gat"``.
        norm: Normalisation after each convolution: ``"none"``, ``"batch"`` or ``"layer"``.
        residual: Whether a linear map passes each convolution by.
        pre_linear: Whether a linear map stands before the first convolution.
        dropout: Fraction of hidden units dropped while training.
        heads: Number of attention heads of ``"gat"``.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **edge_weight:** ``(num_edges,)``, only for ``"gcn"``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``conv`` or ``norm`` is unknown, ``heads`` does not divide ``hidden_channels``, or there are edge
            weights that the convolution does not read.

    Example:
        >>> import torch
        >>> from graphlab.directed import ClassicGNN
        >>> net = ClassicGNN(3, 8, 2, num_layers=4, norm="batch", residual=True)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        conv: Literal["gcn", "sage", "gat"] = "gcn",
        norm: Literal["none", "batch", "layer"] = "none",
        residual: bool = False,
        pre_linear: bool = False,
        dropout: float = 0.5,
        heads: int = 1,
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        self.conv = one_of("conv", conv, ("gcn", "sage", "gat"))
        self.pre_linear = FeatureLinear(in_channels, hidden_channels) if pre_linear else None
        at_least("num_layers", num_layers, 1)
        width = hidden_channels
        first = width if pre_linear else in_channels
        ins = [first, *[width] * (num_layers - 1)]
        # A residual's bias serves its convolution too.
        self.convs = nn.ModuleList(_make_conv(conv, i, width, heads, not residual) for i in ins)
        self.residuals = nn.ModuleList(FeatureLinear(i, width) for i in ins) if residual else None
        self.norms = nn.ModuleList(make_norm(norm, width) for _ in ins)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(width, out_channels)

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        if self.conv == "gcn":
            edges = edges_of_gcn(x, edge_index, edge_weight)
        else:
            edges = unweighted_edges(x, edge_index, edge_weight, f"the convolution {self.conv!r}")
        if self.pre_linear is not None:
            x = self.dropout(self.pre_linear(x))
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            out = conv(x, edges)
            if self.residuals is not None:
                out = out + self.residuals[k](x)
            x = self.dropout(norm(out).relu())
        return self.head(x)


def _make_conv(conv: str, in_channels: int, out_channels: int, heads: int, bias: bool) -> nn.Module:
    if conv == "gat":
        return GATConv(in_channels, out_channels, heads, bias)
    return {"gcn": GCNConv, "sage": SAGEConv}[conv](in_channels, out_channels, bias)
