"""Registration: one description of an op serves eager code, transforms and the compiler."""

import pytest
import torch
from torch import Tensor

from graphlab.ops import op as module
from graphlab.ops import use_backend
from graphlab.ops.op import Op


def _double_ref(x: Tensor, times: int) -> Tensor:
    return x * times


def _setup(ctx, inputs, output) -> None:
    ctx.times = inputs[1]


def _make(name: str, **rules) -> Op:
    return Op(name, "(Tensor x, int times) -> Tensor", 0, _double_ref, lambda x, times: torch.empty_like(x), **rules)


@pytest.fixture
def make(monkeypatch):
    """Ops that leave no trace in the list of those that graphlab has."""
    monkeypatch.setattr(module, "_OPS", [])
    monkeypatch.setattr(module.kernels, "missing", lambda library: "not for this test")
    return _make


def _backward(ctx, grad):
    return grad * ctx.times, None


def test_an_op_without_derivative_and_one_with(make):
    plain, smooth = make("test_plain"), make("test_smooth", setup=_setup, backward=_backward)
    assert [o.name for o in module.registered()] == ["test_plain", "test_smooth"]
    x = torch.ones(3, requires_grad=True)
    assert not plain(x, 2).requires_grad
    assert torch.autograd.grad(smooth(x, 3).sum(), x)[0].tolist() == [3, 3, 3]
    with torch.no_grad():
        assert not smooth(x, 3).requires_grad
    with use_backend("ref"):
        assert torch.autograd.grad(smooth(x, 4).sum(), x)[0].tolist() == [4, 4, 4]


def test_transforms_nest_in_any_order(make):
    cube = make("test_nested", setup=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]), backward=_slope)
    x = torch.linspace(1, 2, 3)
    second = torch.func.grad(torch.func.grad(lambda x: cube(x * x, 2).sum()))
    assert torch.func.vmap(second)(x).tolist() == [4, 4, 4]
    jacobian = torch.func.jacrev(torch.func.vmap(lambda x: cube(x, 2)))(x)
    torch.testing.assert_close(jacobian, 2 * torch.eye(3))


def _slope(ctx, grad):
    return grad * 2, None


def test_a_rule_of_ones_own_is_used(make):
    calls = []

    def rule(info, in_dims, x, times):
        calls.append(info.batch_size)
        return x * times, in_dims[0]

    op = make("test_own_rule", vmap=rule)
    assert torch.vmap(lambda x: op(x, 2))(torch.ones(4, 3)).tolist() == [[2.0] * 3] * 4
    assert torch.vmap(lambda x: torch.ops.graphlab.test_own_rule(x, 2))(torch.ones(5, 3)).shape == (5, 3)
    assert calls == [4, 5]


def test_forward_mode_is_refused_by_name(make):
    op = make("test_forward", setup=_setup, backward=_backward)
    with pytest.raises(NotImplementedError, match=r"graphlab::test_forward has no forward-mode derivative"):
        torch.func.jvp(lambda x: op(x, 2), (torch.ones(2),), (torch.ones(2),))
