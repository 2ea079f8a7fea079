"""Subgraph-equivariant networks: ego-nets, permutation-equivariant maps, and networks made of them."""

from graphlab.subgraph.equivariant_basis import equivariant_basis, num_equivariant_maps
from graphlab.subgraph.equivariant_linear import EquivariantLinear

__all__ = [
    "EquivariantLinear",
    "equivariant_basis",
    "num_equivariant_maps",
]
