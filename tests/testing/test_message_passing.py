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
