"""Directed and heterophilous graphs: should the directions be used, and networks that use them."""

from graphlab.directed.adpa import ADPA
from graphlab.directed.decoupled_loader import DecoupledLoader, HopBatch
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.directed_patterns import DirectedPatterns
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.normalization import dir_norm, gcn_norm
from graphlab.directed.operator import Operator, adjacency
from graphlab.directed.operator_product import OperatorProduct
from graphlab.directed.stored_hops import StoredHops

__all__ = [
    "ADPA",
    "DecoupledLoader",
    "DecoupledModel",
    "DirectedPatterns",
    "FeatureLinear",
    "HopBatch",
    "HopFeatures",
    "Operator",
    "OperatorProduct",
    "StoredHops",
    "adjacency",
    "dir_norm",
    "gcn_norm",
]
