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

    def activate(self, pair: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return gates and new states of both orders, and the products for the new states of both operands.

        Args:
            pair: First and second operands.

        Shapes:
            - **pair:** ``(2, rows, d)``
            - **output:** ``(2, rows, 2 * d)``, ``(2, rows, d)`` and ``(2, rows, 2 * d)``
        """
        a, b = pair
        d, rows = self.d, a.size(0)
        u = torch.addmm(self.bias_gates, a + b, self.plus_t)
        v = torch.mm(a - b, self.minus_t)
        gates, new = pair.new_empty(2, rows, 2 * d), torch.empty_like(pair)
        torch.add(u, v, out=gates[0])
        torch.sub(u, v, out=gates[1])
        gates.sigmoid_()
        products = torch.addmm(self.bias_new, pair.view(2 * rows, d), self.new_t).view(2, rows, 2 * d)
        for order in (0, 1):
            # The first order reads a as input and b as hidden state, the second the other way round.
            enters, hidden = products[order, :, :d], products[1 - order, :, d:]
            torch.addcmul(enters, gates[order, :, :d], hidden, out=new[order])
        return gates, new.tanh_(), products


class Gradients:
    """Sums the gradients of the rearranged weights over tiles.

    Args:
        cell: The rearranged weights.
    """

    def __init__(self, cell: Algebra) -> None:
        self.cell = cell
        self.plus, self.minus, self.new, self.bias_gates, self.bias_new = (
            torch.zeros_like(w) for w in (cell.plus, cell.minus, cell.new, cell.bias_gates, cell.bias_new)
        )

    def add_tile(self, pair: Tensor, grad: Tensor) -> Tensor:
        """Add a tile's weight gradients; return the gradients of its operands.

        Args:
            pair: First and second operands.
            grad: The gradients of the results.

        Shapes:
            - **pair, output:** ``(2, rows, d)``
            - **grad:** ``(rows, d)``
        """
        cell, (a, b) = self.cell, pair
        back, of_gates, of_products = _cell_backward(cell, pair, grad * 0.5)
        of_sum, of_difference = of_gates[0] + of_gates[1], of_gates[0].sub_(of_gates[1])
        self.plus.addmm_(of_sum.t(), a + b)
        self.minus.addmm_(of_difference.t(), a - b)
        self.bias_gates.add_(of_sum.sum(0))
        flat = of_products.view(-1, 2 * cell.d)
        self.new.addmm_(flat.t(), pair.view(-1, cell.d))
        self.bias_new.add_(flat.sum(0))
        back.view(-1, cell.d).addmm_(flat, cell.new)
        difference = torch.mm(of_difference, cell.minus)
        back.add_(torch.mm(of_sum, cell.plus))
        back[0].add_(difference)
        back[1].sub_(difference)
        return back

    def of_cell(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the gradients of ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``."""
        d = self.cell.d
        return (
            torch.cat([0.5 * (self.plus + self.minus), self.new[:d]]),
            torch.cat([0.5 * (self.plus - self.minus), self.new[d:]]),
            torch.cat([self.bias_gates, self.bias_new[:d]]),
            torch.cat([self.bias_gates, self.bias_new[d:]]),
        )


def _cell_backward(cell: Algebra, pair: Tensor, half: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Differentiate both orders: gradients of the hidden operands directly, of the gates, and of the products."""
    d = cell.d
    gates, new, products = cell.activate(pair)
    back, of_gates, of_products = torch.empty_like(pair), torch.empty_like(gates), torch.empty_like(products)
    for order in (0, 1):
        hidden = 1 - order
        reset, update = gates[order, :, :d], gates[order, :, d:]
        of_new, of_reset, of_update = of_products[order, :, :d], of_gates[order, :, :d], of_gates[order, :, d:]
        torch.mul(half, update, out=back[hidden])
        torch.sub(half, back[hidden], out=of_update)
        torch.ops.aten.tanh_backward.grad_input(of_update, new[order], grad_input=of_new)
        torch.mul(of_new, products[hidden, :, d:], out=of_reset)
        torch.mul(of_new, reset, out=of_products[hidden, :, d:])
        torch.sub(pair[hidden], new[order], out=of_update).mul_(half)
    torch.ops.aten.sigmoid_backward.grad_input(of_gates, gates, grad_input=of_gates)
    return back, of_gates, of_products
