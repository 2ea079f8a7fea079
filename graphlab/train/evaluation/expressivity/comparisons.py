"""Which graphs are compared with which. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphlab.data import card
from graphlab.data.brec_categories import CATEGORIES
from graphlab.train.config import ConfigError
from graphlab.train.settings import suggestion


@dataclass(frozen=True)
class Comparison:
    """The pairs of graphs of one data set, in parts that are counted apart.

    Args:
        name: what it is called here.
        data: the name of the data set's card.
        parts: the pairs of each part, where graphs ``2 i`` and ``2 i + 1`` are pair ``i``; none: every graph is
            compared with every other, in one part of the comparison's name.
        step: only every ``step``-th graph is compared, the first included.
        counts_missed: whether the pairs are so many that those which are not separated are told.
    """

    name: str
    data: str
    parts: Mapping[str, range] = field(default_factory=dict)
    step: int = 1
    counts_missed: bool = False

    @property
    def totals(self) -> dict[str, int]:
        """The number of pairs in each part; one of all, where there are several."""
        if not self.parts:
            graphs = -(-(card(self.data).num_graphs or 0) // self.step)
            return {self.name: graphs * (graphs - 1) // 2}
        parts = {part: len(pairs) for part, pairs in self.parts.items()}
        return parts if self.name in parts else parts | {self.name: sum(parts.values())}


_ALL = (
    Comparison("brec", "brec", CATEGORIES),
    Comparison("sr16", "sr16622"),
    Comparison("sr25", "sr251256"),
    Comparison("sr26", "sr261034"),
    Comparison("sr28", "sr281264"),
    Comparison("sr29", "sr291467"),
    Comparison("sr35", "sr351668", counts_missed=True),
    Comparison("csl", "csl", step=15),  # fifteen copies of a graph are a class
    Comparison("exp", "exp", {"exp": range(600)}),
    Comparison("cexp", "cexp", {"cexp": range(600)}),
    Comparison("graph8c", "graph8c", counts_missed=True),
)
COMPARISONS: dict[str, Comparison] = {one.name: one for one in _ALL}
"""Every comparison by name."""

DEFAULT = ("brec", "sr25", "csl", "exp", "cexp", "graph8c")
"""What is compared unless a choice is made."""


def comparison(name: str) -> Comparison:
    """A comparison by its name, or that of its data set.

    Args:
        name: as in :data:`COMPARISONS`, or as :func:`graphlab.data.load` takes it; case does not matter.

    Raises:
        ConfigError: if there is none.
    """
    wanted = name.lower()
    for one in COMPARISONS.values():
        if wanted in (one.name, one.data):
            return one
    raise ConfigError(
        f"--data: nothing to compare is called '{name}'{suggestion(wanted, COMPARISONS)}; "
        f"there are {', '.join(COMPARISONS)}"
    )
