"""Subgraph-equivariant networks, and what measures how much a network can tell apart."""

from graphlab.subgraph.color_refinement import color_refinement
from graphlab.subgraph.folklore_refinement import folklore_refinement

__all__ = [
    "color_refinement",
    "folklore_refinement",
]
