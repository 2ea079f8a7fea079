"""What the suite measures one at a time. Imports no torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from graphlab.data.brec_categories import CATEGORIES
from graphlab.train.evaluation.expressivity.comparisons import Comparison
from graphlab.train.evaluation.expressivity.networks import Network
from graphlab.train.evaluation.expressivity.protocols import RPC, UNTRAINED
from graphlab.version import __version__

# Of what no number in the settings tells, as how weights are drawn: results of another one do not count.
_REVISION = 3
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
        return "untrained", self.network.name, f"seed-{self.seed}", self.comparison.name

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.network.name} on {self.comparison.name}"

    @property
    def settings(self) -> dict[str, Any]:
        """What its figures depend on."""
        told = {"data": self.comparison.data, "step": self.comparison.step, "seed": self.seed}
        bounds = {"tolerance": self.network.tolerance, "protocol": asdict(UNTRAINED)}
        return self.network.settings | told | bounds | _program()

    def fits(self, figures: Mapping[str, Any]) -> bool:
        """Whether they are what a table reads.

        Args:
            figures: what was read.
        """
        counts = figures.get("separated")
        if not isinstance(counts, dict) or set(counts) != set(self.comparison.totals):
            return False
        whole = all(isinstance(count, int) and _is_number(count) for count in counts.values())
        return whole and _is_number(figures.get("noise")) and _is_number(figures.get("seconds"))


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
        return "rpc", self.network.name, f"seed-{self.seed}", str(self.pair)

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.network.name} on pair {self.pair}"

    @property
    def settings(self) -> dict[str, Any]:
        """What its figures depend on."""
        told = {"pair": self.pair, "seed": self.seed, "protocol": asdict(RPC)}
        return self.network.settings | told | _program()

    def fits(self, figures: Mapping[str, Any]) -> bool:
        """Whether they are what a table reads.

        Args:
            figures: what was read.
        """
        verdicts = (figures.get("separated"), figures.get("reliable"))
        return all(isinstance(verdict, bool) for verdict in verdicts) and _is_number(figures.get("seconds"))


Cell = UntrainedCell | RpcCell


def _is_number(found: Any) -> bool:
    known = isinstance(found, int | float) and not isinstance(found, bool)
    return known and math.isfinite(found) and found >= 0


def _program() -> dict[str, Any]:
    return {"graphlab": __version__, "revision": _REVISION}
