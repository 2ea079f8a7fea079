"""Configurations of networks that propagate once, before training. Imports no torch."""

from graphlab.models.base_config import NodeNetConfig

DECOUPLED: dict[str, type[NodeNetConfig]] = {}
"""The networks of this kind by name."""
