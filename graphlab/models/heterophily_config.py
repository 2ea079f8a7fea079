"""Configurations of networks for graphs whose neighbours differ, and their baselines. Imports no torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from graphlab.models.base_config import NodeNetConfig
from graphlab.models.checked import number


@dataclass(frozen=True, kw_only=True)
class ResidualConfig(NodeNetConfig):
    """Residual blocks of one kind of message passing (Platonov et al., 2023, arXiv 2302.11640)."""

    network: ClassVar[str] = "graphlab.directed:ResidualGNN"

    num_layers: int = number(2, at_least=0)
    """Number of layers."""
    layer: Literal["none", "gcn", "sage", "gat", "gat-sep", "gt", "gt-sep"] = "sage"
    """What a block does with the neighbours."""
    heads: int = number(8, at_least=1)
    """Number of attention heads."""
    dropout: float = number(0.2, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""
    hidden_mult: float = number(1.0, above=0)
    """Hidden width of the blocks' perceptrons over hidden_channels."""


@dataclass(frozen=True, kw_only=True)
class ClassicConfig(NodeNetConfig):
    """GCN, GraphSAGE or GAT with residuals and normalisation (Luo et al., 2024, arXiv 2406.08993)."""

    network: ClassVar[str] = "graphlab.directed:ClassicGNN"

    num_layers: int = number(2, at_least=1)
    """Number of convolutions."""
    conv: Literal["gcn", "sage", "gat"] = "gcn"
    """Kind of convolution."""
    norm: Literal["none", "batch", "layer"] = "none"
    """Normalisation after each convolution."""
    residual: bool = False
    """Whether a linear map passes each convolution by."""
    pre_linear: bool = False
    """Whether a linear map stands before the first convolution."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""
    heads: int = number(1, at_least=1)
    """Number of attention heads of gat."""


@dataclass(frozen=True, kw_only=True)
class H2gcnConfig(NodeNetConfig):
    """Node, neighbours and second neighbours side by side (Zhu et al., 2020, arXiv 2006.11468)."""

    network: ClassVar[str] = "graphlab.directed:H2GCN"

    num_hops: int = number(2, at_least=0)
    """Number of rounds."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of the last layer's input dropped while training."""


@dataclass(frozen=True, kw_only=True)
class LinkxConfig(NodeNetConfig):
    """Perceptrons on features and on the adjacency (Lim et al., 2021, arXiv 2110.14446)."""

    network: ClassVar[str] = "graphlab.directed:LINKX"

    num_layers: int = number(2, at_least=1)
    """Number of linear maps in the last perceptron."""
    num_edge_layers: int = number(1, at_least=1)
    """Number of linear maps in the perceptron on the adjacency."""
    num_node_layers: int = number(1, at_least=1)
    """Number of linear maps in the perceptron on features."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units of the last perceptron dropped while training."""


@dataclass(frozen=True, kw_only=True)
class GprgnnConfig(NodeNetConfig):
    """Learned weights of the powers of the adjacency (Chien et al., 2020, arXiv 2006.07988)."""

    network: ClassVar[str] = "graphlab.directed:GPRGNN"

    num_hops: int = number(10, at_least=0)
    """The highest power."""
    alpha: float = number(0.1, at_least=0, at_most=1)
    """Restart probability of the weights at the start."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of features and hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class FagcnConfig(NodeNetConfig):
    """Signed weights of edges (Bo et al., 2021, arXiv 2101.00797)."""

    network: ClassVar[str] = "graphlab.directed:FAGCN"

    num_layers: int = number(2, at_least=0)
    """Number of layers."""
    eps: float = number(0.3, at_least=0)
    """Share of the first features in each layer."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of features, hidden units and edges dropped while training."""


@dataclass(frozen=True, kw_only=True)
class AcmgcnConfig(NodeNetConfig):
    """Low-pass, high-pass and identity filters, mixed by each node (Luan et al., 2022, arXiv 2210.07606)."""

    network: ClassVar[str] = "graphlab.directed:ACMGCN"

    num_layers: int = number(2, at_least=1)
    """Number of layers."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of features and hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class GlognnConfig(NodeNetConfig):
    """Every node draws on all others, with coefficients in closed form (Li et al., 2022, arXiv 2205.07308)."""

    network: ClassVar[str] = "graphlab.directed:GloGNN"

    num_layers: int = number(2, at_least=0)
    """Number of aggregations."""
    num_hops: int = number(2, at_least=1)
    """Highest power of the adjacency that coefficients stay close to."""
    delta: float = number(0.5, at_least=0, at_most=1)
    """The adjacency's share in the first features."""
    gamma: float = number(0.3, at_least=0, below=1)
    """The first features' share in each layer."""
    beta1: float = number(1.0, above=0)
    """How small coefficients are to be."""
    beta2: float = number(1.0, at_least=0)
    """How close to the graph's powers coefficients are to be."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


HETEROPHILY: dict[str, type[NodeNetConfig]] = {
    "residual": ResidualConfig,
    "classic": ClassicConfig,
    "h2gcn": H2gcnConfig,
    "linkx": LinkxConfig,
    "gprgnn": GprgnnConfig,
    "fagcn": FagcnConfig,
    "acmgcn": AcmgcnConfig,
    "glognn": GlognnConfig,
}
"""The networks of this kind by name."""
