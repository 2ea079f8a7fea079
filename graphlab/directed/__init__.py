"""Directed and heterophilous graphs: should the directions be used, and networks that use them."""

from graphlab.directed.acm_conv import ACMConv
from graphlab.directed.acm_gcn import ACMGCN
from graphlab.directed.classic_gnn import ClassicGNN
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.directed_patterns import DirectedPatterns
from graphlab.directed.dropout import Dropout
from graphlab.directed.fagcn import FAGCN
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.glognn import GloGNN
from graphlab.directed.gpr_gnn import GPRGNN
from graphlab.directed.h2gcn import H2GCN
from graphlab.directed.linkx import LINKX
from graphlab.directed.normalization import dir_norm, gcn_norm
from graphlab.directed.operator import Operator, adjacency
from graphlab.directed.operator_product import OperatorProduct
from graphlab.directed.residual_gnn import ResidualGNN

__all__ = [
    "ACMGCN",
    "FAGCN",
    "GPRGNN",
    "H2GCN",
    "LINKX",
    "ACMConv",
    "ClassicGNN",
    "DecoupledModel",
    "DirectedPatterns",
    "Dropout",
    "FeatureLinear",
    "GloGNN",
    "Operator",
    "OperatorProduct",
    "ResidualGNN",
    "adjacency",
    "dir_norm",
    "gcn_norm",
]
