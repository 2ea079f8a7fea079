"""The Binary-GRU cell: the formula, and its products and gradients arranged to be shared by both orders."""

import torch
from torch import Tensor


def binary_gru(a: Tensor, b: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    r"""The commutative combine of two states, differentiable as often as one likes.

    .. math::
        a \circ b = \tfrac12 \left( \mathrm{GRUCell}(a, b) + \mathrm{GRUCell}(b, a) \right)

    From Ong and Veličković, "Learnable Commutative Monoids for Graph Neural Networks", 2022, arXiv 2212.08541.

    Args:
        a: First operands.
        b: Second operands.
        weight_ih: Input weights of the cell, rows in the order reset, update, new.
        weight_hh: Hidden weights of the cell.
        bias_ih: Input biases.
        bias_hh: Hidden biases.

    Shapes:
        - **a, b, output:** ``(*, d)``
        - **weight_ih, weight_hh:** ``(3 * d, d)``
        - **bias_ih, bias_hh:** ``(3 * d,)``
    """
    one = _gru_cell(a, b, weight_ih, weight_hh, bias_ih, bias_hh)
    other = _gru_cell(b, a, weight_ih, weight_hh, bias_ih, bias_hh)
    return 0.5 * (one + other)


def _gru_cell(x: Tensor, h: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> Tensor:
    reset_i, update_i, new_i = torch.nn.functional.linear(x, weight_ih, bias_ih).chunk(3, -1)
    reset_h, update_h, new_h = torch.nn.functional.linear(h, weight_hh, bias_hh).chunk(3, -1)
    new = torch.tanh(new_i + torch.sigmoid(reset_i + reset_h) * new_h)
    return torch.lerp(new, h, torch.sigmoid(update_i + update_h))


class Algebra:
    """The cell's weights, rearranged so that both orders of a pair share their products."""

    def __init__(self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor) -> None:
        self.d = d = weight_ih.size(1)
        self.plus = 0.5 * (weight_ih[: 2 * d] + weight_hh[: 2 * d])
        self.minus = 0.5 * (weight_ih[: 2 * d] - weight_hh[: 2 * d])
        self.bias_gates = bias_ih[: 2 * d] + bias_hh[: 2 * d]
        self.new = torch.cat([weight_ih[2 * d :], weight_hh[2 * d :]])
        self.bias_new = torch.cat([bias_ih[2 * d :], bias_hh[2 * d :]])
        self.plus_t, self.minus_t, self.new_t = (w.t().contiguous() for w in (self.plus, self.minus, self.new))

    def gates(self, a: Tensor, b: Tensor, s: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the gates of both orders and the products for the new states of both operands."""
        u = torch.addmm(self.bias_gates, s, self.plus_t)
        v = torch.mm(d, self.minus_t)
        one = torch.add(u, v).sigmoid_()
        other = u.sub_(v).sigmoid_()
        return (
            one,
            other,
            torch.addmm(self.bias_new, a, self.new_t),
            torch.addmm(self.bias_new, b, self.new_t),
        )


class Gradients:
    """Sums the gradients of the rearranged weights over tiles."""

    def __init__(self, cell: Algebra) -> None:
        self.cell = cell
        self.plus, self.minus, self.new, self.bias_gates, self.bias_new = (
            torch.zeros_like(w) for w in (cell.plus, cell.minus, cell.new, cell.bias_gates, cell.bias_new)
        )

    def add_tile(self, a: Tensor, b: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Add a tile's weight gradients; return the gradients of its operands."""
        cell, d = self.cell, self.cell.d
        total, difference = a + b, a - b
        one, other, pre_a, pre_b = cell.gates(a, b, total, difference)
        half = grad * 0.5
        gates_one, new_one, hidden_one, grad_b = _order_backward(one, pre_a[:, :d], pre_b[:, d:], b, half)
        gates_other, new_other, hidden_other, grad_a = _order_backward(other, pre_b[:, :d], pre_a[:, d:], a, half)
        grad_u, grad_v = gates_one + gates_other, gates_one.sub_(gates_other)
        pre_grad_a = torch.cat([new_one, hidden_other], 1)
        pre_grad_b = torch.cat([new_other, hidden_one], 1)
        self.plus.addmm_(grad_u.t(), total)
        self.minus.addmm_(grad_v.t(), difference)
        self.new.addmm_(pre_grad_a.t(), a).addmm_(pre_grad_b.t(), b)
        self.bias_gates.add_(grad_u.sum(0))
        self.bias_new.add_(pre_grad_a.sum(0)).add_(pre_grad_b.sum(0))
        grad_sum, grad_difference = torch.mm(grad_u, cell.plus), torch.mm(grad_v, cell.minus)
        grad_a.addmm_(pre_grad_a, cell.new).add_(grad_sum).add_(grad_difference)
        grad_b.addmm_(pre_grad_b, cell.new).add_(grad_sum).sub_(grad_difference)
        return grad_a, grad_b

    def of_cell(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the gradients of ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``."""
        d = self.cell.d
        return (
            torch.cat([0.5 * (self.plus + self.minus), self.new[:d]]),
            torch.cat([0.5 * (self.plus - self.minus), self.new[d:]]),
            torch.cat([self.bias_gates, self.bias_new[:d]]),
            torch.cat([self.bias_gates, self.bias_new[d:]]),
        )


def _order_backward(
    gates: Tensor, new_i: Tensor, new_h: Tensor, h: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Differentiate one GRU cell: gradients of its gates, of both parts of the new state, and of ``h`` directly."""
    reset, update = gates.chunk(2, 1)
    new = torch.addcmul(new_i, reset, new_h).tanh_()
    grad_h = grad * update
    grad_new = (grad - grad_h).mul_(1 - new * new)
    grad_update = (h - new).mul_(grad_h).mul_(1 - update)
    grad_hidden = grad_new * reset
    grad_reset = (grad_hidden * new_h).mul_(1 - reset)
    return torch.cat([grad_reset, grad_update], 1), grad_new, grad_hidden, grad_h
