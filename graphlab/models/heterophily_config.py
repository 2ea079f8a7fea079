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


HETEROPHILY: dict[str, type[NodeNetConfig]] = {
    "residual": ResidualConfig,
    "classic": ClassicConfig,
}
"""The networks of this kind by name."""
