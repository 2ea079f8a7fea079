"""Directed and heterophilous graphs: should the directions be used, and networks that use them."""

from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.normalization import dir_norm, gcn_norm
from graphlab.directed.operator import Operator, adjacency

__all__ = ["DecoupledModel", "FeatureLinear", "Operator", "adjacency", "dir_norm", "gcn_norm"]
