"""Learnable commutative monoids and recurrent aggregators that never pad."""

from graphlab.aggr.base import GroupedAggregation, penalty
from graphlab.aggr.gen_agg import GenAggAggregation
from graphlab.aggr.product_monoid import ProductMonoidAggregation
from graphlab.aggr.quasi_arithmetic import QuasiArithmeticAggregation
from graphlab.aggr.register import register_aggregations
from graphlab.aggr.segment_gru import SegmentGRUAggregation
from graphlab.aggr.segment_lstm import SegmentLSTMAggregation
from graphlab.aggr.tree_lcm import TreeLCMAggregation

__all__ = [
    "GenAggAggregation",
    "GroupedAggregation",
    "ProductMonoidAggregation",
    "QuasiArithmeticAggregation",
    "SegmentGRUAggregation",
    "SegmentLSTMAggregation",
    "TreeLCMAggregation",
    "penalty",
    "register_aggregations",
]
