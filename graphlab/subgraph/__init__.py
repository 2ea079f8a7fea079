"""Floor 1: ego nets and permutation-equivariant networks on them."""

from graphlab.subgraph.bags import Bags
from graphlab.subgraph.ego_data import EgoData
from graphlab.subgraph.ego_nets import EgoNets
from graphlab.subgraph.equivariant_basis import equivariant_basis, num_equivariant_maps
from graphlab.subgraph.equivariant_linear import EquivariantLinear
from graphlab.subgraph.ign import IGN
from graphlab.subgraph.pair_plan import PairPlan
from graphlab.subgraph.spen import SPEN
from graphlab.subgraph.spen_conv import SPENConv
from graphlab.subgraph.spen_encoder import SPENEncoder
from graphlab.subgraph.spen_readout import SPENReadout
from graphlab.subgraph.two_scale_spen import TwoScaleSPEN

__all__ = [
    "IGN",
    "SPEN",
    "Bags",
    "EgoData",
    "EgoNets",
    "EquivariantLinear",
    "PairPlan",
    "SPENConv",
    "SPENEncoder",
    "SPENReadout",
    "TwoScaleSPEN",
    "equivariant_basis",
    "num_equivariant_maps",
]
