import pytest
import torch

from graphlab.testing import check_errors

from .specimens import Healthy, broken_laws


class WrapsNegative(Healthy):
    """Takes a negative index from the end, silently."""

    def groups(self, x, index, ptr, dim_size):
        if index is not None and index.dtype == torch.long:
            index = torch.where(index < 0, index + dim_size, index)
        return super().groups(x, index, ptr, dim_size)


class AnyChannels(Healthy):
    """Drops the channels that it does not expect."""

    def validate(self, x, dim):
        super().validate(x[..., : self.in_channels], dim)

    def lift(self, x):
        return super().lift(x[..., : self.in_channels])


class NamesNothing(Healthy):
    def groups(self, x, index, ptr, dim_size):
        try:
            return super().groups(x, index, ptr, dim_size)
        except ValueError as error:
            raise ValueError("bad input") from error


class TrustsPtr(Healthy):
    """Reads ptr as sizes without a look at where it starts and ends."""

    def groups(self, x, index, ptr, dim_size):
        if index is None:
            sizes = ptr.diff().clamp(min=0)
            groups = torch.arange(sizes.numel()).repeat_interleave(sizes)[: x.size(-2)]
            return torch.nn.functional.pad(groups, (0, x.size(-2) - groups.numel()))
        return super().groups(x, index, ptr, dim_size)


class SpoilsInput(Healthy):
    """Raises the right error, but has already written into x."""

    def groups(self, x, index, ptr, dim_size):
        try:
            return super().groups(x, index, ptr, dim_size)
        except (ValueError, IndexError, TypeError):
            x.zero_()
            raise


class SpoilsParameter(Healthy):
    def groups(self, x, index, ptr, dim_size):
        try:
            return super().groups(x, index, ptr, dim_size)
        except (ValueError, IndexError, TypeError):
            self.weight.data.zero_()
            raise


BROKEN = {
    WrapsNegative: r"index negative\. Saw: no error but a result of shape \[3, 8\]",
    AnyChannels: r"twice the number of channels\. Saw: no error",
    NamesNothing: r"ValueError: bad input\. Expected: .* names 'dim_size'",
    TrustsPtr: r"ptr falling\. Saw: no error",
    SpoilsInput: "inputs were changed",
    SpoilsParameter: "parameters were changed",
}


@pytest.mark.parametrize(("make", "message"), BROKEN.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_only_errors_is_broken(make, message):
    assert broken_laws(make) == {"errors"}
    with pytest.raises(AssertionError, match=message):
        check_errors(make)
