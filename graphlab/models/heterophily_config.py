"""Configurations of networks for graphs whose neighbours differ, and their baselines. Imports no torch."""

from graphlab.models.base_config import NodeNetConfig

HETEROPHILY: dict[str, type[NodeNetConfig]] = {}
"""The networks of this kind by name."""
