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
    order: int = number(2, at_least=1)
    """Longest word over A and its transposed; 2 gives six patterns."""
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


DECOUPLED: dict[str, type[NodeNetConfig]] = {"adpa": AdpaConfig}
"""The networks of this kind by name."""
