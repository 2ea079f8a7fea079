"""The suite ``expressivity``: how many pairs of graphs a network tells apart. Imports no torch; ``sweep`` does."""

from graphlab.train.evaluation.expressivity.cells import RpcCell, UntrainedCell
from graphlab.train.evaluation.expressivity.comparisons import COMPARISONS, Comparison, comparison
from graphlab.train.evaluation.expressivity.networks import NETWORKS, Network, network
from graphlab.train.evaluation.expressivity.records import Records
from graphlab.train.evaluation.expressivity.table import Row, format_rows

__all__ = [
    "COMPARISONS",
    "NETWORKS",
    "Comparison",
    "Network",
    "Records",
    "Row",
    "RpcCell",
    "UntrainedCell",
    "comparison",
    "format_rows",
    "network",
]
