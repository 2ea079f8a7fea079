"""Configurations of networks that pass messages along and against directed edges. Imports no torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from graphlab.models.base_config import NodeNetConfig
from graphlab.models.checked import number


@dataclass(frozen=True, kw_only=True)
class DirGnnConfig(NodeNetConfig):
    """Dir-GNN (Rossi et al., 2023, arXiv 2305.10498): convolutions along and against the edges."""

    network: ClassVar[str] = "graphlab.directed:DirGNN"

    num_layers: int = number(3, at_least=1)
    """Number of layers."""
    conv: Literal["gcn", "sage", "gat"] = "gcn"
    """Kind of layer."""
    alpha: float = number(0.5, at_least=0, at_most=1)
    """Weight of out-neighbours; 1 is out-neighbours only, 0 in-neighbours only."""
    learn_alpha: bool = False
    """Learn the weight of out-neighbours, one number for all layers."""
    jk: Literal["none", "max", "cat"] = "max"
    """What the classifier sees: the last layer, or maximum or concatenation of all."""
    normalize: bool = False
    """Divide each row by its L2 norm after each layer."""
    dropout: float = number(0.0, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class FaberNetConfig(NodeNetConfig):
    """FaberNet (Koke and Cremers, 2024, arXiv 2310.02232): polynomials of the adjacency and its transpose."""

    network: ClassVar[str] = "graphlab.directed:FaberNet"

    num_layers: int = number(3, at_least=1)
    """Number of layers."""
    order: int = number(1, at_least=1)
    """The highest power in a layer."""
    alpha: float = number(0.5, at_least=0, at_most=1)
    """Weight of out-neighbours; 1 is out-neighbours only, 0 in-neighbours only."""
    learn_alpha: bool = False
    """Learn the weight of out-neighbours, one number for all layers."""
    decay: Literal["none", "exp", "lin"] = "exp"
    """Weights of the powers: 1, 1 / 2^k or 1 / k."""
    zero_order: bool = False
    """Whether a layer also sees what is not propagated."""
    complex_weights: bool = False
    """Complex weights; a hidden channel then has a real and an imaginary part."""
    negative_slope: float = number(0.0, at_least=0)
    """The slope of the activation below zero; 0 is ReLU."""
    jk: Literal["none", "max", "cat"] = "max"
    """What the classifier sees: the last layer, or maximum or concatenation of all."""
    normalize: bool = False
    """Divide each row by its L2 norm after each layer."""
    dropout: float = number(0.0, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class MagNetConfig(NodeNetConfig):
    """MagNet (Zhang et al., 2021, arXiv 2102.11391): filters of the magnetic Laplacian."""

    network: ClassVar[str] = "graphlab.directed:MagNet"

    num_layers: int = number(2, at_least=1)
    """Number of layers."""
    order: int = number(1, at_least=0)
    """The highest power in a layer."""
    q: float = number(0.25, at_least=0, at_most=0.5)
    """The phase of an edge without a counterpart, in turns; 0 forgets directions."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class DiGcnConfig(NodeNetConfig):
    """DiGCN (Tong et al., 2020, arXiv 2010.13973): convolutions on a personalised PageRank."""

    network: ClassVar[str] = "graphlab.directed:DiGCN"

    num_layers: int = number(2, at_least=1)
    """Number of layers."""
    teleport: float = number(0.1, above=0, below=1)
    """Probability with which the walk goes to any node."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class DiGcnInceptionConfig(DiGcnConfig):
    """DiGCN-IB (Tong et al., 2020, arXiv 2010.13973): inception blocks on two scales."""

    network: ClassVar[str] = "graphlab.directed:DiGCNInception"

    num_layers: int = number(3, at_least=1)
    """Number of blocks."""


DIRECTED: dict[str, type[NodeNetConfig]] = {
    "dirgnn": DirGnnConfig,
    "fabernet": FaberNetConfig,
    "magnet": MagNetConfig,
    "digcn": DiGcnConfig,
    "digcn-ib": DiGcnInceptionConfig,
}
"""The networks of this kind by name."""
