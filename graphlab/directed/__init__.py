"""Directed and heterophilous graphs: should the directions be used, and networks that use them."""

from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.dir_gat_conv import DirGATConv
from graphlab.directed.dir_gcn_conv import DirGCNConv
from graphlab.directed.dir_gnn import DirGNN
from graphlab.directed.dir_norm import dir_norm
from graphlab.directed.dir_sage_conv import DirSAGEConv
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.operator import Operator, adjacency

__all__ = [
    "DecoupledModel",
    "DirGATConv",
    "DirGCNConv",
    "DirGNN",
    "DirSAGEConv",
    "FeatureLinear",
    "Operator",
    "adjacency",
    "dir_norm",
]
