"""Configurations of networks on the ego nets of whole graphs. Imports no torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from graphlab.models.base_config import GraphNetConfig, NodeNetConfig
from graphlab.models.checked import number


@dataclass(frozen=True, kw_only=True)
class SpenConfig(GraphNetConfig):
    """Equivariant maps on ego nets (Mitton and Murray-Smith, 2021, arXiv 2111.11840)."""

    network: ClassVar[str] = "graphlab.subgraph:SPEN"
    hidden_channels: int = number(16, at_least=1)
    """Width of each map; the hidden features of pairs are twice as wide."""
    num_layers: int = number(4, at_least=2)
    """Layers, of which the readout is the last."""
    num_hops: int = number(1, at_least=1)
    """How far ego nets reach."""
    size_classes: tuple[int, ...] = (2, 3, 4, 5)
    """The smallest size of each class of ego nets that share weights."""
    product: bool = False
    """Whether layers have the matrix product inside each ego net."""
    norm: Literal["batch_norm", "graph_norm"] = "batch_norm"
    """Normalisation after each layer."""
    normalize: bool = True
    """Whether the adjacency is normalised by the degrees."""
    jk: Literal["last", "cat"] = "last"
    """What is read off: the last layer, or every layer."""
    pool: Literal["mean", "sum"] = "mean"
    """How the nodes of a graph come together."""
    head_channels: tuple[int, ...] = (256, 128)
    """Widths of the hidden layers of the perceptron at the end."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped in that perceptron while training."""


@dataclass(frozen=True, kw_only=True)
class TwoScaleSpenConfig(GraphNetConfig):
    """SPEN on 1-hop ego nets with products beside SPEN on 2-hop ones."""

    network: ClassVar[str] = "graphlab.subgraph:TwoScaleSPEN"
    hidden_channels: int = number(16, at_least=1)
    """Width of each map; the hidden features of pairs are twice as wide, or three times with the product."""
    num_layers: int = number(4, at_least=2)
    """Layers, of which the readout is the last."""
    size_classes: tuple[int, ...] = (2, 3, 4, 5)
    """The smallest size of each class of 1-hop nets that share weights."""
    large_size_classes: tuple[int, ...] = (2, 4, 6, 8, 12)
    """Likewise of 2-hop nets."""
    norm: Literal["batch_norm", "graph_norm"] = "batch_norm"
    """Normalisation after each layer."""
    normalize: bool = True
    """Whether the adjacency is normalised by the degrees."""
    jk: Literal["last", "cat"] = "last"
    """What is read off: the last layer, or every layer."""
    pool: Literal["mean", "sum"] = "mean"
    """How the nodes of a graph come together."""
    head_channels: tuple[int, ...] = (256, 128)
    """Widths of the hidden layers of the perceptron at the end."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped in that perceptron while training."""


@dataclass(frozen=True, kw_only=True)
class IgnConfig(GraphNetConfig):
    """Equivariant maps on all pairs of nodes of a graph (Maron et al., 2019, arXiv 1812.09902)."""

    network: ClassVar[str] = "graphlab.subgraph:IGN"
    hidden_channels: int = number(16, at_least=1)
    """Width of the layers."""
    num_layers: int = number(3, at_least=1)
    """Number of layers."""
    norm: Literal["batch_norm", "graph_norm"] = "batch_norm"
    """Normalisation after each layer."""
    head_channels: tuple[int, ...] = (256, 128)
    """Widths of the hidden layers of the perceptron at the end."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped in that perceptron while training."""


@dataclass(frozen=True, kw_only=True)
class PpgnConfig(GraphNetConfig):
    """Matrix products of all pairs of nodes of a graph (Maron et al., 2019, arXiv 1905.11136)."""

    network: ClassVar[str] = "graphlab.subgraph:PPGN"
    hidden_channels: int = number(32, at_least=1)
    """Width of the blocks."""
    num_layers: int = number(5, at_least=1)
    """Number of blocks."""


@dataclass(frozen=True, kw_only=True)
class PpgnPlusPlusConfig(PpgnConfig):
    """PPGN on equivariant polynomials of the graph (Puny et al., 2023, arXiv 2302.11556)."""

    network: ClassVar[str] = "graphlab.subgraph:PPGNPlusPlus"
    degree: int = number(5, at_least=5, at_most=6)
    """Highest degree of the polynomials."""


@dataclass(frozen=True, kw_only=True)
class DssGnnConfig(GraphNetConfig):
    """DSS-GNN on ego nets that keep all nodes (Bevilacqua et al., 2022, arXiv 2110.02910)."""

    network: ClassVar[str] = "graphlab.subgraph:DSSGNN"
    hidden_channels: int = number(32, at_least=1)
    """Width of the layers."""
    num_layers: int = number(4, at_least=1)
    """Number of layers."""
    num_hops: int = number(2, at_least=0)
    """How far ego nets reach."""
    root_mark: bool = False
    """Whether the root of each ego net is marked, the policy EGO+."""


@dataclass(frozen=True, kw_only=True)
class NodeSpenConfig(NodeNetConfig):
    """SPEN of nodes: equivariant maps on ego nets (Mitton and Murray-Smith, 2021, arXiv 2111.11840)."""

    network: ClassVar[str] = "graphlab.subgraph:NodeSPEN"
    hidden_channels: int = number(16, at_least=1)
    """Width of each map; the hidden features of pairs are twice as wide."""
    num_layers: int = number(3, at_least=2)
    """Layers, of which the readout is the last."""
    num_hops: int = number(1, at_least=1)
    """How far ego nets reach."""
    size_classes: tuple[int, ...] = (1,)
    """The smallest size of each class of ego nets that share weights."""
    product: bool = False
    """Whether layers have the matrix product inside each ego net."""
    norm: Literal["batch_norm", "graph_norm"] = "batch_norm"
    """Normalisation after each layer."""
    normalize: bool = True
    """Whether the adjacency is normalised by the degrees."""
    jk: Literal["last", "cat"] = "last"
    """What is read off: the last layer, or every layer."""
    head_channels: tuple[int, ...] = ()
    """Widths of the hidden layers of the perceptron at the end."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of features and of hidden units dropped while training."""


SUBGRAPH: dict[str, type[GraphNetConfig | NodeNetConfig]] = {
    "spen": SpenConfig,
    "two-scale-spen": TwoScaleSpenConfig,
    "ign": IgnConfig,
    "ppgn": PpgnConfig,
    "ppgn-plus-plus": PpgnPlusPlusConfig,
    "dss-gnn": DssGnnConfig,
    "node-spen": NodeSpenConfig,
}
"""Networks on ego nets by name."""
