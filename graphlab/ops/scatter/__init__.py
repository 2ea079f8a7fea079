"""torch_scatter's functions, by their names and with their meaning: ``import graphlab.ops.scatter as torch_scatter``.

They differ where torch_scatter gives wrong or undefined results: derivatives of any order are right, also with respect
to ``out``; a ``nan`` stays one in minima and maxima; a group of ``-inf`` has the maximum ``-inf``; ``segment_coo``
takes an ``index`` that is not sorted; what lies outside raises an error; an empty product is 1. All work under
``torch.compile`` and ``torch.vmap`` where the size of the result is given (``dim_size`` or ``out``), and give the same
bits for any number of threads.
"""

from graphlab.ops.scatter import composite
from graphlab.ops.scatter.composite import scatter_log_softmax, scatter_logsumexp, scatter_softmax, scatter_std
from graphlab.ops.scatter.segment_coo import (
    gather_coo,
    segment_add_coo,
    segment_coo,
    segment_max_coo,
    segment_mean_coo,
    segment_min_coo,
    segment_sum_coo,
)
from graphlab.ops.scatter.segment_csr import (
    gather_csr,
    segment_add_csr,
    segment_csr,
    segment_max_csr,
    segment_mean_csr,
    segment_min_csr,
    segment_sum_csr,
)
from graphlab.ops.scatter.unsorted import (
    scatter,
    scatter_add,
    scatter_max,
    scatter_mean,
    scatter_min,
    scatter_mul,
    scatter_sum,
)

__all__ = [
    "composite",
    "gather_coo",
    "gather_csr",
    "scatter",
    "scatter_add",
    "scatter_log_softmax",
    "scatter_logsumexp",
    "scatter_max",
    "scatter_mean",
    "scatter_min",
    "scatter_mul",
    "scatter_softmax",
    "scatter_std",
    "scatter_sum",
    "segment_add_coo",
    "segment_add_csr",
    "segment_coo",
    "segment_csr",
    "segment_max_coo",
    "segment_max_csr",
    "segment_mean_coo",
    "segment_mean_csr",
    "segment_min_coo",
    "segment_min_csr",
    "segment_sum_coo",
    "segment_sum_csr",
]
