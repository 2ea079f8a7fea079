import pytest
import torch

from graphlab.ops import kernels, use_backend
from graphlab.ops.host_op import HostOp, registered

OPS = [pytest.param(op, id=op.name) for op in registered()]


@pytest.mark.skipif(bool(kernels.missing("_C")), reason="nothing is compiled")
@pytest.mark.parametrize("op", OPS)
def test_every_host_op_has_a_kernel(op):
    # One without tensors among its arguments belongs to no device.
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    assert any(has(f"graphlab::{op.name}", where) for where in ("CPU", "CompositeExplicitAutograd"))


def test_names_are_unique():
    assert len({op.name for op in registered()}) == len(registered())


def test_the_reference_runs_where_it_is_asked_for_or_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr("graphlab.ops.host_op._HOST_OPS", [])
    op = HostOp("cpu_isa", lambda: "reference")
    with use_backend("ref"):
        assert op() == "reference"
    assert HostOp("there_is_no_such_kernel", lambda x: x + 1)(2) == 3
    if not kernels.missing("_C"):
        assert op() == torch.ops.graphlab.cpu_isa()
