"""Makes our aggregators known to PyG by name."""

from types import TracebackType

import torch_geometric.nn.aggr as pyg
from torch_geometric.nn.aggr import Aggregation

from graphlab.aggr.gen_agg import GenAggAggregation
from graphlab.aggr.product_monoid import ProductMonoidAggregation
from graphlab.aggr.quasi_arithmetic import QuasiArithmeticAggregation
from graphlab.aggr.segment_gru import SegmentGRUAggregation
from graphlab.aggr.segment_lstm import SegmentLSTMAggregation
from graphlab.aggr.tree_lcm import TreeLCMAggregation


class LCMAggregation(TreeLCMAggregation):
    """:class:`TreeLCMAggregation` under PyG's name, for ``register_aggregations(override=True)``."""


class GRUAggregation(SegmentGRUAggregation):
    """:class:`SegmentGRUAggregation` under PyG's name, for ``register_aggregations(override=True)``."""


class LSTMAggregation(SegmentLSTMAggregation):
    """:class:`SegmentLSTMAggregation` under PyG's name, for ``register_aggregations(override=True)``."""


OURS: tuple[type[Aggregation], ...] = (
    TreeLCMAggregation,
    SegmentGRUAggregation,
    SegmentLSTMAggregation,
    QuasiArithmeticAggregation,
    GenAggAggregation,
    ProductMonoidAggregation,
)
REPLACEMENTS: tuple[type[Aggregation], ...] = (LCMAggregation, GRUAggregation, LSTMAggregation)


class Registration:
    """What :func:`register_aggregations` changed; leaving it as a context manager changes that back.

    Args:
        before: The names that were set, with what they stood for; ``None`` for nothing.
    """

    def __init__(self, before: dict[str, type[Aggregation] | None]) -> None:
        self.before = before

    def undo(self) -> None:
        """Take back what this registration changed; a second call does nothing."""
        for name, value in self.before.items():
            if value is None:
                delattr(pyg, name)
            else:
                setattr(pyg, name, value)
        self.before = {}

    def __enter__(self) -> "Registration":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()


def register_aggregations(override: bool = False) -> Registration:
    """Let PyG's layers find our aggregators by name, as in ``SAGEConv(16, 32, aggr="treelcm")``.

    The names are ``treelcm``, ``segmentgru``, ``segmentlstm``, ``quasiarithmetic``, ``genagg`` and ``productmonoid``,
    each also with the suffix ``aggregation``. Calling it again changes nothing. Used in a ``with`` statement, it undoes
    itself at the end.

    Args:
        override: Whether PyG's own names ``lcm``, ``gru`` and ``lstm`` stand for our classes from now on.

    Returns:
        A handle with ``undo()``.

    Raises:
        ValueError: PyG or another library has a class of its own under one of our names.

    Example:
        >>> import graphlab
        >>> from torch_geometric.nn import SAGEConv
        >>> with graphlab.register_aggregations():
        ...     conv = SAGEConv(16, 32, aggr="treelcm")
    """
    before: dict[str, type[Aggregation] | None] = {}
    wanted = OURS + (REPLACEMENTS if override else ())
    for cls in wanted:
        known = getattr(pyg, cls.__name__, None)
        if known is not None and known is not cls and cls in OURS:
            raise ValueError(
                f"'torch_geometric.nn.aggr' already has a {cls.__name__} from {known.__module__}; "
                "pass instances of our class as 'aggr' instead of its name"
            )
        if known is not cls:
            before[cls.__name__] = known
    for cls in wanted:
        if cls.__name__ in before:
            setattr(pyg, cls.__name__, cls)
    return Registration(before)
