"""Data sets by name, from cards; synthetic tasks; splits.

The cards need no torch, so they are imported at once; everything that returns tensors loads on
first use (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING, Any

from graphlab.data.card import Card, card, names

if TYPE_CHECKING:
    from graphlab.data.dsbm import DSBM
    from graphlab.data.loading import load
    from graphlab.data.pna_multitask import PNAMultitask
    from graphlab.data.second_minimum import SecondMinimum
    from graphlab.data.splitting import splits

_LAZY = {
    "DSBM": "graphlab.data.dsbm",
    "PNAMultitask": "graphlab.data.pna_multitask",
    "SecondMinimum": "graphlab.data.second_minimum",
    "load": "graphlab.data.loading",
    "splits": "graphlab.data.splitting",
}

__all__ = ["DSBM", "Card", "PNAMultitask", "SecondMinimum", "card", "load", "names", "splits"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'graphlab.data' has no attribute '{name}'; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
