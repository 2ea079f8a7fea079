"""Subgraph-equivariant networks, and what measures how much a network can tell apart."""

from graphlab.subgraph.color_refinement import color_refinement
from graphlab.subgraph.equivariant_polynomials import (
    EquivariantPolynomials,
    PairPolynomials,
    equivariant_polynomials,
    polynomial_ref,
)
from graphlab.subgraph.folklore_refinement import folklore_refinement
from graphlab.subgraph.ppgn import PPGN
from graphlab.subgraph.ppgn_plus_plus import PPGNPlusPlus

__all__ = [
    "PPGN",
    "EquivariantPolynomials",
    "PPGNPlusPlus",
    "PairPolynomials",
    "color_refinement",
    "equivariant_polynomials",
    "folklore_refinement",
    "polynomial_ref",
]
