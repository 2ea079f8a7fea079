"""The laws every op, aggregator and layer must pass, for users to run on their own classes."""

from graphlab.testing.aggregation import AGGREGATION_LAWS, check_aggregation
from graphlab.testing.compilation import check_compile
from graphlab.testing.determinism import check_determinism
from graphlab.testing.errors import check_errors
from graphlab.testing.forms import check_batched, check_index_forms
from graphlab.testing.gradients import check_gradients
from graphlab.testing.independence import check_batch_independence, check_empty_groups
from graphlab.testing.law_errors import LawErrors, law_errors
from graphlab.testing.layer import LAYER_LAWS, check_layer
from graphlab.testing.message_passing import check_message_passing
from graphlab.testing.op import OP_LAWS, check_op
from graphlab.testing.permutation import check_edge_permutation, check_group_permutation
from graphlab.testing.precision import check_dtypes

__all__ = [
    "AGGREGATION_LAWS",
    "LAYER_LAWS",
    "OP_LAWS",
    "LawErrors",
    "check_aggregation",
    "check_batch_independence",
    "check_batched",
    "check_compile",
    "check_determinism",
    "check_dtypes",
    "check_edge_permutation",
    "check_empty_groups",
    "check_errors",
    "check_gradients",
    "check_group_permutation",
    "check_index_forms",
    "check_layer",
    "check_message_passing",
    "check_op",
    "law_errors",
]
