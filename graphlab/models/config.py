"""What each network can be told: one dataclass per network, by name.

Imports no torch, so that ``--help`` is fast.
"""

from dataclasses import dataclass
from typing import Literal

from graphlab.models.base_config import GraphNetConfig, ModelConfig, NodeNetConfig
from graphlab.models.checked import number
from graphlab.models.decoupled_config import DECOUPLED
from graphlab.models.directed_config import DIRECTED
from graphlab.models.heterophily_config import HETEROPHILY
from graphlab.models.subgraph_config import SUBGRAPH

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "GinConfig",
    "GraphNetConfig",
    "MlpConfig",
    "ModelConfig",
    "MpnnConfig",
    "NodeNetConfig",
    "SageConfig",
    "SetConfig",
]

Norm = Literal["none", "batch", "layer"]


@dataclass(frozen=True, kw_only=True)
class MlpConfig(ModelConfig):
    """A multilayer perceptron on the node features: the baseline that does not see the edges."""

    num_layers: int = number(2, at_least=1)
    """Number of hidden layers."""
    readout: str = "mean"
    """Aggregator that pools a graph's nodes (tasks on graphs only)."""
    norm: Norm = "none"
    """Normalisation after each layer."""
    dropout: float = number(0.5, at_least=0, below=1)
    """Fraction of hidden units dropped while training."""


@dataclass(frozen=True, kw_only=True)
class SageConfig(MlpConfig):
    """GraphSAGE (Hamilton et al., 2017, arXiv 1706.02216) with any aggregator."""

    aggr: str = "mean"
    """Aggregator of the neighbours; several, separated by commas, are concatenated."""


@dataclass(frozen=True, kw_only=True)
class GinConfig(MlpConfig):
    """Graph isomorphism network (Xu et al., 2019, arXiv 1810.00826) with any aggregator."""

    aggr: str = "sum"
    """Aggregator of the neighbours; several, separated by commas, are concatenated."""
    readout: str = "sum"
    """Aggregator that pools a graph's nodes (tasks on graphs only)."""
    norm: Norm = "batch"
    """Normalisation after each layer."""


@dataclass(frozen=True, kw_only=True)
class SetConfig(ModelConfig):
    """Encoder, aggregator, decoder on multisets of integers (Ong and Veličković, 2022)."""

    hidden_channels: int = number(128, at_least=1)
    """Width of the hidden layers."""
    aggr: str = "treelcm"
    """Aggregator of a set's elements."""


@dataclass(frozen=True, kw_only=True)
class MpnnConfig(ModelConfig):
    """Recurrent message passing on nodes and graphs (Corso et al., 2020, arXiv 2004.05718)."""

    hidden_channels: int = number(16, at_least=1)
    """Width of the hidden layers."""
    aggr: str = "sum"
    """Aggregator of the neighbours; several, separated by commas, are concatenated."""


MODELS: dict[str, type[ModelConfig]] = {
    "sage": SageConfig,
    "gin": GinConfig,
    "mlp": MlpConfig,
    "set": SetConfig,
    "mpnn": MpnnConfig,
    **DIRECTED,
    **DECOUPLED,
    **HETEROPHILY,
    **SUBGRAPH,
}
"""Every network by name."""

DEFAULT_MODEL = "sage"
"""The network that is trained when none is named."""
