"""What the configurations of all networks share. Imports no torch, so that ``--help`` is fast."""

from dataclasses import dataclass
from typing import ClassVar

from graphlab.models.checked import Checked, number


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Checked):
    """What every network can be told."""

    hidden_channels: int = number(64, at_least=1)
    """Width of the hidden layers."""

    @property
    def name(self) -> str:
        """The name the network is chosen by."""
        from graphlab.models.config import MODELS

        return next(name for name, cls in MODELS.items() if cls is type(self))


@dataclass(frozen=True, kw_only=True)
class GraphNetConfig(ModelConfig):
    """A network of whole graphs, ``forward(x, edge_index, batch, batch_size)``, built as :class:`NodeNetConfig` says.

    Where ``forward`` has an argument ``edge_attr``, edge features come with it, and their number is the constructor's
    ``edge_dim`` where it asks for that.
    """

    network: ClassVar[str]
    """Where its class is: ``"package.module:Class"``."""


@dataclass(frozen=True, kw_only=True)
class NodeNetConfig(ModelConfig):
    """A network of nodes' classes, ``forward(x, edge_index)``, whose constructor takes the fields by their names.

    Where the class says ``takes_sparse = True``, features that are mostly zero come as a sparse CSR matrix.
    """

    network: ClassVar[str]
    """Where its class is: ``"package.module:Class"``."""
