"""Floor 1: ego nets and permutation-equivariant networks on them."""

from graphlab.subgraph.bags import Bags
from graphlab.subgraph.color_refinement import color_refinement
from graphlab.subgraph.dss_bags import DSSBags
from graphlab.subgraph.dss_conv import DSSConv
from graphlab.subgraph.dss_gnn import DSSGNN
from graphlab.subgraph.ego_data import EgoData
from graphlab.subgraph.ego_nets import EgoNets
from graphlab.subgraph.equivariant_basis import equivariant_basis, num_equivariant_maps
from graphlab.subgraph.equivariant_linear import EquivariantLinear
from graphlab.subgraph.equivariant_polynomials import (
    EquivariantPolynomials,
    PairPolynomials,
    equivariant_polynomials,
    polynomial_ref,
)
from graphlab.subgraph.folklore_refinement import folklore_refinement
from graphlab.subgraph.ign import IGN
from graphlab.subgraph.node_spen import NodeSPEN
from graphlab.subgraph.pair_plan import PairPlan
from graphlab.subgraph.ppgn import PPGN
from graphlab.subgraph.ppgn_plus_plus import PPGNPlusPlus
from graphlab.subgraph.spen import SPEN
from graphlab.subgraph.spen_conv import SPENConv
from graphlab.subgraph.spen_encoder import SPENEncoder
from graphlab.subgraph.spen_readout import SPENReadout
from graphlab.subgraph.two_scale_spen import TwoScaleSPEN

__all__ = [
    "DSSGNN",
    "IGN",
    "PPGN",
    "SPEN",
    "Bags",
    "DSSBags",
    "DSSConv",
    "EgoData",
    "EgoNets",
    "EquivariantLinear",
    "EquivariantPolynomials",
    "NodeSPEN",
    "PPGNPlusPlus",
    "PairPlan",
    "PairPolynomials",
    "SPENConv",
    "SPENEncoder",
    "SPENReadout",
    "TwoScaleSPEN",
    "color_refinement",
    "equivariant_basis",
    "equivariant_polynomials",
    "folklore_refinement",
    "num_equivariant_maps",
    "polynomial_ref",
]
