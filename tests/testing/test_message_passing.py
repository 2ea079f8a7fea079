import subprocess
import sys

import pytest
import torch

from graphlab.testing import check_message_passing

from .specimens import Healthy, broken_laws


class HiddenState(Healthy):
    """A random weight that is neither parameter nor buffer: it is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 1 + torch.rand(()).item()

    def lift(self, x):
        return super().lift(x) * self.hidden


class SharedAfterCopy(Healthy):
    def __deepcopy__(self, memo):
        raise RuntimeError("cannot be copied")


class ResetsOnce(Healthy):
    """Layers reset the parameters of their aggregator when they are built."""

    def reset_parameters(self):
        if hasattr(self, "bias"):
            raise RuntimeError("parameters are there already")
        self.bias = True
        super().reset_parameters()


class FailsInList(Healthy):
    """Wants `dim` by name, where MultiAggregation gives it by place."""

    def forward(self, x, index=None, ptr=None, dim_size=None, *, dim=-2):
        return super().forward(x, index, ptr, dim_size, dim)

    def __call__(self, x, index=None, ptr=None, dim_size=None, *, dim=-2):
        return super().__call__(x, index, ptr, dim_size, dim)


def test_other_layers_are_left_alone():
    # PyG generates the code of a layer class for its first instance: ours must not be the first of theirs.
    code = (
        "import torch; from torch_geometric.nn import SAGEConv, SumAggregation; "
        "from graphlab.testing import check_compile, check_message_passing; "
        "check_compile(SumAggregation); check_message_passing(SumAggregation); "
        "SAGEConv(4, 4, aggr='mean')(torch.randn(3, 4), torch.eye(3).to_sparse_csr())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("make", [HiddenState, SharedAfterCopy, FailsInList])
def test_only_message_passing_is_broken(make):
    assert broken_laws(make) == {"message_passing"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (HiddenState, "saved and loaded"),
        (SharedAfterCopy, "cannot be copied"),
        (ResetsOnce, "SAGEConv built with the aggregator.*parameters are there already"),
        (FailsInList, r"in MultiAggregation.*positional arguments"),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_what_is_broken_is_told(make, message):
    with pytest.raises(AssertionError, match=message):
        check_message_passing(make)
