"""Directed and heterophilous graphs: should the directions be used, and networks that use them."""

from graphlab.directed.classic_gnn import ClassicGNN
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.directed_patterns import DirectedPatterns
from graphlab.directed.dropout import Dropout
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.normalization import dir_norm, gcn_norm
from graphlab.directed.operator import Operator, adjacency
from graphlab.directed.operator_product import OperatorProduct
from graphlab.directed.residual_gnn import ResidualGNN

__all__ = [
    "ClassicGNN",
    "DecoupledModel",
    "DirectedPatterns",
    "Dropout",
    "FeatureLinear",
    "Operator",
    "OperatorProduct",
    "ResidualGNN",
    "adjacency",
    "dir_norm",
    "gcn_norm",
]
