"""What the suite measures one at a time. Imports no torch."""

from dataclasses import dataclass
from typing import Any

from graphlab.data.brec_categories import CATEGORIES
from graphlab.train.evaluation.expressivity.comparisons import Comparison
from graphlab.train.evaluation.expressivity.networks import Network
from graphlab.version import __version__

_REVISION = 2  # of the protocols: results of another one do not count
NUM_PAIRS = sum(map(len, CATEGORIES.values()))


@dataclass(frozen=True)
class UntrainedCell:
    """A network with random weights on the graphs of one comparison.

    Args:
        network: what embeds.
        comparison: what is compared.
        seed: of the weights and the orders of nodes.
    """

    network: Network
    comparison: Comparison
    seed: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Where its figures are kept."""
        return "untrained", self.network.name, self.comparison.name

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.network.name} on {self.comparison.name}"

    @property
    def settings(self) -> dict[str, Any]:
        """What its figures depend on."""
        told = {"data": self.comparison.data, "step": self.comparison.step, "seed": self.seed}
        return self.network.settings | told | _program()


@dataclass(frozen=True)
class RpcCell:
    """A network trained to tell one pair of BREC apart.

    Args:
        network: what is trained.
        pair: number of the pair.
        seed: of the weights and the orders of nodes.
    """

    network: Network
    pair: int
    seed: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Where its figures are kept."""
        return "rpc", self.network.name, str(self.pair)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.network.name} on pair {self.pair}"

    @property
    def settings(self) -> dict[str, Any]:
        """What its figures depend on."""
        return self.network.settings | {"pair": self.pair, "seed": self.seed} | _program()


Cell = UntrainedCell | RpcCell


def _program() -> dict[str, Any]:
    return {"graphlab": __version__, "revision": _REVISION}
