"""Residual networks with one kind of message passing in each block, and none at all."""

from typing import Any, Literal

from torch import Tensor, nn

from graphlab.directed.checks import at_least, check_heads, one_of
from graphlab.directed.dropout import Dropout
from graphlab.directed.edges import edges_of_gcn, unweighted_edges
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.node_network import NodeNetwork
from graphlab.directed.residual_blocks import FeedForwardBlock, GATBlock, GCNBlock, SAGEBlock, TransformerBlock

_LAYERS = ("none", "gcn", "sage", "gat", "gat-sep", "gt", "gt-sep")


class ResidualGNN(NodeNetwork):
    r"""Residual blocks of one kind of message passing, or of none.

    The baselines of "A critical look at the evaluation of GNNs under heterophily" (Platonov et al., 2023, arXiv
    2302.11640).

    .. math::
        h^{(0)} = \text{GELU}(\text{dropout}(W_0 x)), \qquad
        h^{(k)} = h^{(k-1)} + \text{block}_k(\text{LayerNorm}(h^{(k-1)})), \qquad
        y = W\, \text{LayerNorm}(h^{(K)}) + b

    A block is a perceptron of two layers on the node alone (``"none"``, a ResNet), on the normalised sum of its
    neighbours (``"gcn"``), on itself beside their mean (``"sage"``), or on attention (``"gat"``); in ``"gt"`` a
    layer is a block of dot-product attention and then a perceptron. With ``-sep`` the node stands beside its
    neighbours instead of among them: ``"gcn"``, ``"gat"`` and ``"gt"`` give every node one edge to itself.

    Args:
        in_channels: Number of node features.
        hidden_channels: Width of the layers.
        out_channels: Number of classes.
        num_layers: Number of layers.
        layer: ``"none"``, ``"gcn"``, ``"sage"``, ``"gat"``, ``"gat-sep"``, ``"gt"`` or ``"gt-sep"``.
        heads: Number of attention heads.
        dropout: Fraction of hidden units dropped while training.
        hidden_mult: The hidden width of the perceptrons over ``hidden_channels``.

    Shapes:
        - **x:** ``(num_nodes, in_channels)``, dense or ``torch.sparse``
        - **edge_weight:** ``(num_edges,)``, only for ``"gcn"``
        - **output:** ``(num_nodes, out_channels)``

    Raises:
        ValueError: ``layer`` is unknown, ``heads`` does not divide ``hidden_channels``, or there are edge weights
            that the layer does not read.

    Example:
        >>> import torch
        >>> from graphlab.directed import ResidualGNN
        >>> net = ResidualGNN(3, 16, 2, layer="gt-sep", heads=4)
        >>> net(torch.rand(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
        torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        num_layers: int = 2,
        layer: Literal["none", "gcn", "sage", "gat", "gat-sep", "gt", "gt-sep"] = "sage",
        heads: int = 8,
        dropout: float = 0.2,
        hidden_mult: float = 1.0,
    ) -> None:
        super().__init__(in_channels, hidden_channels, dropout)
        self.layer = one_of("layer", layer, _LAYERS)
        at_least("num_layers", num_layers, 0)
        self.encoder = FeatureLinear(in_channels, hidden_channels)
        self.dropout = Dropout(dropout)
        self.gelu = nn.GELU()
        kinds = _make_blocks(layer, num_layers, hidden_channels, heads, dropout, hidden_mult)
        self.blocks = nn.ModuleList(kinds)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_channels) for _ in self.blocks)
        self.norm = nn.LayerNorm(hidden_channels)
        self.head = nn.Linear(hidden_channels, out_channels)

    def logits(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Tensor:
        """Compute the logits of all nodes."""
        edges = self._edges(x, edge_index, edge_weight)
        x = self.gelu(self.dropout(self.encoder(x)))
        for norm, block in zip(self.norms, self.blocks, strict=True):
            x = x + block(norm(x), edges)
        return self.head(self.norm(x))

    def _edges(self, x: Tensor, edge_index: Any, edge_weight: Tensor | None) -> Any:
        """What the blocks gather along, made once for all."""
        if self.layer == "gcn":
            return edges_of_gcn(x, edge_index, edge_weight)
        graph = unweighted_edges(x, edge_index, edge_weight, f"the layer {self.layer!r}")
        return graph.with_self_loops() if self.layer in ("gat", "gt") else graph


def _make_blocks(
    layer: str, num_layers: int, channels: int, heads: int, dropout: float, hidden_mult: float
) -> list[nn.Module]:
    kind, _, separate = layer.partition("-")
    if kind in ("gat", "gt"):
        check_heads(channels, heads)
    if kind == "gat":
        return [GATBlock(channels, hidden_mult, dropout, heads, bool(separate)) for _ in range(num_layers)]
    if kind == "gt":
        pairs = (
            (
                TransformerBlock(channels, heads, dropout, bool(separate)),
                FeedForwardBlock(channels, hidden_mult, dropout),
            )
            for _ in range(num_layers)
        )
        return [block for pair in pairs for block in pair]
    block = {"none": FeedForwardBlock, "gcn": GCNBlock, "sage": SAGEBlock}[kind]
    return [block(channels, hidden_mult, dropout) for _ in range(num_layers)]
