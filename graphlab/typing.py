"""Names for tensors with their shapes, used in signatures across the library.

``n`` nodes or groups, ``e`` edges or elements, ``f`` channels.
"""

from jaxtyping import Float, Int
from torch import Tensor

NodeFeat = Float[Tensor, "n f"]
EdgeFeat = Float[Tensor, "e f"]
EdgeIndex = Int[Tensor, "2 e"]
Index = Int[Tensor, " e"]
Ptr = Int[Tensor, " n+1"]

__all__ = ["EdgeFeat", "EdgeIndex", "Index", "NodeFeat", "Ptr"]
