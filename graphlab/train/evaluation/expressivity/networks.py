"""Networks and refinements by name, imported when they are made. Imports no torch."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphlab.train.config import ConfigError
from graphlab.train.settings import suggestion

LAYERS = 3
_SIZES = tuple(range(1, 41))  # each size of bags has weights of its own, but those of 40 nodes and more share


@dataclass(frozen=True)
class Network:
    """What tells graphs apart.

    Args:
        name: what it is called here.
        path: ``"package.module:name"`` of a class or function.
        options: what it takes by keyword besides widths.
        refines: whether it is a function that colors graphs, rather than a class of networks.
        has_width: whether it takes ``hidden_channels``.
    """

    name: str
    path: str
    options: Mapping[str, Any] = field(default_factory=dict)
    refines: bool = False
    has_width: bool = True

    @property
    def settings(self) -> dict[str, Any]:
        """What a result may depend on."""
        return {"path": self.path, "options": dict(self.options)}

    def load(self) -> Callable[..., Any]:
        """The class or function.

        Raises:
            ConfigError: if there is none.
        """
        module, _, name = self.path.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise ConfigError(f"--model: '{self.name}' is not to be had: {error}") from error

    def make(self, in_channels: int, hidden_channels: int, out_channels: int) -> Any:
        """A new network.

        Args:
            in_channels: width of the node features.
            hidden_channels: width of its layers, where it does not choose that itself.
            out_channels: width of a graph's vector.

        Raises:
            ConfigError: if it cannot be made.
        """
        given = {"hidden_channels": hidden_channels} if self.has_width else {}
        maker = self.load()
        try:
            return maker(in_channels=in_channels, out_channels=out_channels, **given, **self.options)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"--model: '{self.name}' cannot be made: {error}") from error


def _of_graphlab(name: str, cls: str, **options: Any) -> Network:
    return Network(name, f"graphlab.subgraph:{cls}", options)


# The last layer is the readout. Products shrink with the square of what they multiply: in a normalised adjacency,
# differences of strongly regular graphs fall below 1e-12.
_SPEN = {"num_layers": LAYERS + 1, "norm": None, "normalize": False, "head_channels": (), "dropout": 0.0}
_ALL = (
    Network("wl", "graphlab.subgraph:color_refinement", refines=True),
    Network("fwl", "graphlab.subgraph:folklore_refinement", refines=True),
    Network("gin", "graphlab.train.evaluation.expressivity.gin:gin", {"num_layers": LAYERS}),
    _of_graphlab("dss-gnn", "DSSGNN", num_layers=LAYERS, norm=None),
    _of_graphlab("dss-gnn+", "DSSGNN", num_layers=LAYERS, norm=None, root_mark=True),
    _of_graphlab("ign", "IGN", num_layers=LAYERS, norm=None, head_channels=(), dropout=0.0),
    _of_graphlab("ppgn", "PPGN", num_layers=LAYERS),
    _of_graphlab("ppgn++", "PPGNPlusPlus", num_layers=LAYERS),
    _of_graphlab("spen", "SPEN", size_classes=_SIZES, **_SPEN),
    _of_graphlab("spen-2", "SPEN", size_classes=_SIZES, num_hops=2, **_SPEN),
    _of_graphlab("spen-product", "SPEN", size_classes=_SIZES, product=True, **_SPEN),
    _of_graphlab("spen-2-product", "SPEN", size_classes=_SIZES, num_hops=2, product=True, **_SPEN),
    _of_graphlab("two-scale-spen", "TwoScaleSPEN", size_classes=_SIZES, large_size_classes=_SIZES, **_SPEN),
)
NETWORKS: dict[str, Network] = {one.name: one for one in _ALL}
"""Every network by name."""


def network(name: str) -> Network:
    """A network by name, or one of the user's by the path of a function.

    Args:
        name: as in :data:`NETWORKS`, where case does not matter and ``_`` reads as ``-``; or ``"package.module:name"``
            of a class or function that takes ``in_channels`` and ``out_channels`` by keyword and returns a module.

    Raises:
        ConfigError: if there is none.
    """
    wanted = name.lower().replace("_", "-")
    if wanted in NETWORKS:
        return NETWORKS[wanted]
    if ":" in name:
        return Network(name, name, has_width=False)
    raise ConfigError(
        f"--model: no network is called '{name}'{suggestion(wanted, NETWORKS)}; there are {', '.join(NETWORKS)}, "
        f"and package.module:name of your own"
    )
