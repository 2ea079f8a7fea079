"""Configurations of networks that propagate once, before training. Imports no torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from graphlab.models.base_config import NodeNetConfig
from graphlab.models.checked import number


@dataclass(frozen=True, kw_only=True)
class AdpaConfig(NodeNetConfig):
    """Adaptive directed pattern aggregation (Sun et al., 2024, arXiv 2312.04111)."""

    network: ClassVar[str] = "graphlab.directed:ADPA"
    num_hops: int = number(2, at_least=1)
    """Steps of propagation along each pattern."""
    order: int = number(2, at_least=1, at_most=6)
    """Longest word over A and its transposed; 2 gives six patterns, 6 gives 126."""
    normalization: float = number(0.5, at_least=0)
    """The power r of degrees right of a pattern, in [0, 1]; 0 takes means, 0.5 is symmetric."""
    decay: Literal["none", "log"] = "none"
    """Weight of hop k: 1, or 1 - ln k as in the paper's code."""
    hop_attention: Literal["original", "simple", "gate", "ori_ref", "none"] = "original"
    """How each node weighs its hops."""
    pattern_attention: Literal["original", "gate", "ori_ref", "jk"] = "original"
    """How the patterns are joined."""
    num_layers: int = number(1, at_least=1)
    """Hidden layers of each pattern."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class LightDiCConfig(NodeNetConfig):
    """Linear maps of features propagated by the magnetic operator (Li et al., 2024, arXiv 2401.11772)."""

    network: ClassVar[str] = "graphlab.directed:LightDiC"
    num_hops: int = number(4, at_least=1)
    """Steps of propagation."""
    q: float = number(0.035)
    """Phase of an edge in turns; 0 forgets directions."""
    aggregation: Literal["last", "mean", "sum", "concat"] = "last"
    """What of the hops is learned from."""


@dataclass(frozen=True, kw_only=True)
class A2DUGConfig(NodeNetConfig):
    """Features, rows of adjacencies and hops, directed and undirected (Maekawa et al., 2023, arXiv 2306.08274)."""

    network: ClassVar[str] = "graphlab.directed:A2DUG"
    hidden_channels: int = number(128, at_least=1)
    """Width of the hidden layers."""
    num_hops: int = number(2, at_least=1)
    """Steps of propagation."""
    num_layers: int = number(1, at_least=1)
    """Layers of each part and of the last MLP."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class FsgnnConfig(NodeNetConfig):
    """Hops with and without loops, each with a learned weight (Maurya et al., 2021, arXiv 2105.07634)."""

    network: ClassVar[str] = "graphlab.directed:FSGNN"
    num_hops: int = number(3, at_least=1)
    """Steps of propagation."""
    hop_norm: bool = True
    """Whether each hop's hidden features are scaled to length 1."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


DECOUPLED: dict[str, type[NodeNetConfig]] = {
    "adpa": AdpaConfig,
    "lightdic": LightDiCConfig,
    "a2dug": A2DUGConfig,
    "fsgnn": FsgnnConfig,
}
"""The networks of this kind by name."""
