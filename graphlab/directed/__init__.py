"""Directed and heterophilous graphs: should the directions be used, and networks that use them."""

from graphlab.directed.a2dug import A2DUG
from graphlab.directed.adaptive_direction import AdaptiveDirection
from graphlab.directed.adpa import ADPA
from graphlab.directed.amud import AmudReport, amud
from graphlab.directed.decoupled_loader import DecoupledLoader, HopBatch
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.dgcn_operators import DGCNOperators, dgcn_operators
from graphlab.directed.digcn_operators import page_rank_operator, second_order_operator
from graphlab.directed.directed_patterns import DirectedPatterns
from graphlab.directed.direction_gain import DirectionGain, direction_gain
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.fsgnn import FSGNN
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.is_direction_genuine import is_direction_genuine
from graphlab.directed.lightdic import LightDiC
from graphlab.directed.magnetic_operator import ComplexOperator, magnetic_operator
from graphlab.directed.normalization import dir_norm, gcn_norm
from graphlab.directed.operator import Operator, adjacency
from graphlab.directed.operator_product import OperatorProduct
from graphlab.directed.pattern_correlation import pattern_correlation
from graphlab.directed.stored_hops import StoredHops

__all__ = [
    "A2DUG",
    "ADPA",
    "FSGNN",
    "AdaptiveDirection",
    "AmudReport",
    "ComplexOperator",
    "DGCNOperators",
    "DecoupledLoader",
    "DecoupledModel",
    "DirectedPatterns",
    "DirectionGain",
    "FeatureLinear",
    "HopBatch",
    "HopFeatures",
    "LightDiC",
    "Operator",
    "OperatorProduct",
    "StoredHops",
    "adjacency",
    "amud",
    "dgcn_operators",
    "dir_norm",
    "direction_gain",
    "gcn_norm",
    "is_direction_genuine",
    "magnetic_operator",
    "page_rank_operator",
    "pattern_correlation",
    "second_order_operator",
]
