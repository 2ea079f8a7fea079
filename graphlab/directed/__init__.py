"""Directed and heterophilous graphs: should the directions be used, and networks that use them."""

from graphlab.directed.a2dug import A2DUG
from graphlab.directed.acm_conv import ACMConv
from graphlab.directed.acm_gcn import ACMGCN
from graphlab.directed.adaptive_direction import AdaptiveDirection
from graphlab.directed.adpa import ADPA
from graphlab.directed.amud import AmudReport, amud
from graphlab.directed.classic_gnn import ClassicGNN
from graphlab.directed.complex_faber_conv import ComplexFaberConv
from graphlab.directed.decoupled_loader import DecoupledLoader, HopBatch
from graphlab.directed.decoupled_model import DecoupledModel
from graphlab.directed.dgcn_operators import DGCNOperators, dgcn_operators
from graphlab.directed.digcn import DiGCN
from graphlab.directed.digcn_conv import DiGCNConv
from graphlab.directed.digcn_inception import DiGCNInception
from graphlab.directed.digcn_inception_conv import DiGCNInceptionConv
from graphlab.directed.digcn_operators import page_rank_operator, second_order_operator
from graphlab.directed.dir_gat_conv import DirGATConv
from graphlab.directed.dir_gcn_conv import DirGCNConv
from graphlab.directed.dir_gnn import DirGNN
from graphlab.directed.dir_sage_conv import DirSAGEConv
from graphlab.directed.directed_patterns import DirectedPatterns
from graphlab.directed.direction_gain import DirectionGain, direction_gain
from graphlab.directed.dropout import Dropout
from graphlab.directed.faber_conv import FaberConv
from graphlab.directed.faber_net import FaberNet
from graphlab.directed.fagcn import FAGCN
from graphlab.directed.feature_linear import FeatureLinear
from graphlab.directed.fsgnn import FSGNN
from graphlab.directed.glognn import GloGNN
from graphlab.directed.gpr_gnn import GPRGNN
from graphlab.directed.h2gcn import H2GCN
from graphlab.directed.hop_features import HopFeatures
from graphlab.directed.is_direction_genuine import is_direction_genuine
from graphlab.directed.lightdic import LightDiC
from graphlab.directed.linkx import LINKX
from graphlab.directed.magnet import MagNet
from graphlab.directed.magnet_conv import MagNetConv
from graphlab.directed.magnetic_operator import ComplexOperator, magnetic_operator
from graphlab.directed.normalization import dir_norm, gcn_norm
from graphlab.directed.operator import Operator, adjacency
from graphlab.directed.operator_product import OperatorProduct
from graphlab.directed.pattern_correlation import pattern_correlation
from graphlab.directed.residual_gnn import ResidualGNN
from graphlab.directed.stored_hops import StoredHops

__all__ = [
    "A2DUG",
    "ACMGCN",
    "ADPA",
    "FAGCN",
    "FSGNN",
    "GPRGNN",
    "H2GCN",
    "LINKX",
    "ACMConv",
    "AdaptiveDirection",
    "AmudReport",
    "ClassicGNN",
    "ComplexFaberConv",
    "ComplexOperator",
    "DGCNOperators",
    "DecoupledLoader",
    "DecoupledModel",
    "DiGCN",
    "DiGCNConv",
    "DiGCNInception",
    "DiGCNInceptionConv",
    "DirGATConv",
    "DirGCNConv",
    "DirGNN",
    "DirSAGEConv",
    "DirectedPatterns",
    "DirectionGain",
    "Dropout",
    "FaberConv",
    "FaberNet",
    "FeatureLinear",
    "GloGNN",
    "HopBatch",
    "HopFeatures",
    "LightDiC",
    "MagNet",
    "MagNetConv",
    "Operator",
    "OperatorProduct",
    "ResidualGNN",
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
