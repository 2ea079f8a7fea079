"""Configurations of networks that pass messages along and against directed edges. Imports no torch."""

from graphlab.models.base_config import NodeNetConfig

DIRECTED: dict[str, type[NodeNetConfig]] = {}
"""The networks of this kind by name."""
