"""Networks and refinements by name, imported when they are made. Imports no torch."""

import importlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphlab.train.config import ConfigError
from graphlab.train.evaluation.expressivity.protocols import TOLERANCE
from graphlab.train.settings import suggestion

LAYERS = 3
_SIZES = tuple(range(1, 41))  # each size of bags has weights of its own, but those of 40 nodes and more share


@dataclass(frozen=True)
class Network:
    """What tells graphs apart.

    Args:
        name: what it is called here.
        path: ``"package.module:name"`` of a class or function.
        options: what it takes by keyword; a ``hidden_channels`` among them goes before that of a protocol.
        refines: whether it is a function that colors graphs, rather than a class of networks.
        has_width: whether it takes ``hidden_channels``.
        tolerance: the relative difference above which its vectors in float64 differ.
        note: what a reader of its figures must know.
    """

    name: str
    path: str
    options: Mapping[str, Any] = field(default_factory=dict)
    refines: bool = False
    has_width: bool = True
    tolerance: float = TOLERANCE
    note: str = ""

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
        with self.blamed("is not to be had"):
            return getattr(importlib.import_module(module), name)

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
        with self.blamed("cannot be made"):
            return maker(in_channels=in_channels, out_channels=out_channels, **(given | dict(self.options)))

    @contextmanager
    def blamed(self, what: str) -> Iterator[None]:
        """Whatever its code raises, it is this network that cannot be measured, and others can.

        Args:
            what: what became of the network.

        Raises:
            ConfigError: if anything is raised; one that is raised already says what it is.
        """
        try:
            yield
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"--model: '{self.name}' {what}: {_told(error)}") from error


def _told(error: Exception) -> str:
    """What was raised, and where, as the traceback is not shown."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    ours_or_none = place.filename == __file__ or place.filename.startswith("<")
    return told if ours_or_none else f"{told} ({Path(place.filename).name}:{place.lineno})"


def _of_graphlab(name: str, cls: str, **options: Any) -> Network:
    return Network(name, f"graphlab.subgraph:{cls}", options)


def _sharp(name: str, cls: str, like: str, **options: Any) -> Network:
    note = (
        f"{like} with sharper sines (frequency {options['frequency']:g}), that round more: a pair is told apart above "
        f"{_SHARP_TOLERANCE:.0e}, not {TOLERANCE:.0e}, and above ten times its own noise"
    )
    return Network(name, f"graphlab.subgraph:{cls}", options, tolerance=_SHARP_TOLERANCE, note=note)


# The last layer is the readout. Products shrink with the square of what they multiply: in a normalised adjacency,
# differences of strongly regular graphs fall below 1e-12.
_SPEN = {"num_layers": LAYERS + 1, "norm": None, "normalize": False, "head_channels": (), "dropout": 0.0}
# As many blocks, and as wide, as PPGN++ was measured with to tell apart what bounds it.
_PPGN = {"num_layers": 5, "hidden_channels": 16}
# Untrained, CFI graphs that 2-FWL tells apart differ by 6e-4 and more at a frequency of 8, and rounding by 1e-7.
_SHARP_TOLERANCE = 1e-6
_ALL = (
    Network("wl", "graphlab.subgraph:color_refinement", refines=True),
    Network("fwl", "graphlab.subgraph:folklore_refinement", refines=True),
    Network("gin", "graphlab.train.evaluation.expressivity.gin:gin", {"num_layers": LAYERS}),
    _of_graphlab("dss-gnn", "DSSGNN", num_layers=LAYERS, norm=None),
    _of_graphlab("dss-gnn+", "DSSGNN", num_layers=LAYERS, norm=None, root_mark=True),
    _of_graphlab("ign", "IGN", num_layers=LAYERS, norm=None, head_channels=(), dropout=0.0),
    _of_graphlab("ppgn", "PPGN", frequency=1.0, **_PPGN),
    _of_graphlab("ppgn++", "PPGNPlusPlus", frequency=1.0, **_PPGN),
    _sharp("ppgn++8", "PPGNPlusPlus", like="ppgn++", frequency=8.0, **_PPGN),
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
