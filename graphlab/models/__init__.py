"""Networks by name, built from the rooms below.

What needs torch loads on first use (PEP 562): the configurations alone must stay cheap for
``graphlab train --help``.
"""

import importlib
from typing import TYPE_CHECKING, Any

from graphlab.models.config import (
    DEFAULT_MODEL,
    MODELS,
    GinConfig,
    MlpConfig,
    ModelConfig,
    MpnnConfig,
    SageConfig,
    SetConfig,
)
from graphlab.models.problem import Problem

if TYPE_CHECKING:
    from graphlab.models.aggregation import make_aggregation
    from graphlab.models.factory import build
    from graphlab.models.mpnn import Mpnn, PairConv
    from graphlab.models.sets import BitEmbedding, SetNet
    from graphlab.models.stack import Stack

_LAZY = {
    "make_aggregation": "aggregation",
    "build": "factory",
    "Mpnn": "mpnn",
    "PairConv": "mpnn",
    "BitEmbedding": "sets",
    "SetNet": "sets",
    "Stack": "stack",
}

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "BitEmbedding",
    "GinConfig",
    "MlpConfig",
    "ModelConfig",
    "Mpnn",
    "MpnnConfig",
    "PairConv",
    "Problem",
    "SageConfig",
    "SetConfig",
    "SetNet",
    "Stack",
    "build",
    "make_aggregation",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'graphlab.models' has no attribute '{name}'")
    return getattr(importlib.import_module(f"graphlab.models.{_LAZY[name]}"), name)
