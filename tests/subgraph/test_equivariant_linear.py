import copy
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import graphlab.subgraph.equivariant_map as factored
from graphlab.subgraph import EquivariantLinear, equivariant_basis
from graphlab.testing.compilation import quiet_tracer

ORDERS = list(itertools.product(range(3), range(3)))
KINDS = [(*orders, rooted) for orders in ORDERS for rooted in (False, True)]


def drawn(*args, dtype=torch.float64, **kwargs):
    """A layer whose biases are not zero."""
    layer = EquivariantLinear(*args, **kwargs).to(dtype)
    for bias in layer.parameters():
        torch.nn.init.normal_(bias)
    return layer


def bags(num_bags, m, order, channels, dtype=torch.float64):
    return torch.randn(num_bags, *[m] * order, channels, dtype=dtype)


def reference(layer, x, m, size_class=0):
    """The basis written down; biases are maps from order 0."""
    order_in, order_out, rooted = layer.kind
    basis = equivariant_basis(x, order_in, order_out, rooted, m)
    constants = equivariant_basis(x.new_ones(x.size(0), 1), 0, order_out, rooted, m)
    out = torch.einsum("...kc,kcs->...s", basis, layer.weight[size_class])
    return out + torch.einsum("...kc,ks->...s", constants, layer.bias[size_class])


def permuted(x, order, perm):
    for dim in range(order):
        x = x.index_select(1 + dim, perm)
    return x


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_the_basis_written_down(kind, dtype, bound):
    torch.manual_seed(0)
    for num_bags, m in itertools.product((0, 1, 5), (0, 1, 2, 3, 7)):
        layer = drawn(3, 4, *kind[:2], rooted=kind[2], dtype=dtype)
        x = bags(num_bags, m, kind[0], 3, dtype)
        out, expected = layer(x, num_nodes=m), reference(layer, x, m)
        assert out.shape == expected.shape
        if out.numel():
            assert (out - expected).abs().max() <= bound * expected.abs().max()


@pytest.mark.parametrize("block", [1, 60, 1000])
@pytest.mark.parametrize("kind", [(2, 2, False), (2, 2, True), (1, 2, False), (2, 1, False)])
def test_blocks_change_nothing(kind, block, monkeypatch):
    torch.manual_seed(0)
    layer, x = drawn(3, 4, *kind[:2], rooted=kind[2]), bags(7, 5, kind[0], 3)
    results = []
    for size in (block, 1 << 18):
        monkeypatch.setattr(factored, "_BLOCK", size)
        out = layer(x.requires_grad_())
        results.append([out, *torch.autograd.grad(out.sin().sum(), [x, *layer.parameters()])])
    for ours, whole in zip(*results, strict=True):
        torch.testing.assert_close(ours, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(m=st.integers(1, 9), seed=st.integers(0, 1000))
def test_equivariance(kind, m, seed):
    torch.manual_seed(seed)
    order_in, order_out, rooted = kind
    layer, x = drawn(2, 3, order_in, order_out, rooted=rooted), bags(2, m, order_in, 2)
    perm = torch.cat([torch.tensor([0]), 1 + torch.randperm(m - 1)]) if rooted else torch.randperm(m)
    moved = layer(permuted(x, order_in, perm), num_nodes=m)
    expected = permuted(layer(x, num_nodes=m), order_out, perm)
    assert (moved - expected).abs().max() <= 1e-12 * expected.abs().max()


def test_a_root_is_told_apart():
    layer, x, perm = drawn(2, 3, rooted=True), bags(1, 4, 2, 2), torch.tensor([1, 0, 2, 3])
    assert not torch.allclose(layer(permuted(x, 2, perm)), permuted(layer(x), 2, perm))


@pytest.mark.parametrize(("kind", "m"), [*((kind, 2) for kind in KINDS), ((2, 2, False), 3), ((2, 2, False), 0)])
def test_first_and_second_derivatives(kind, m):
    torch.manual_seed(0)
    layer, x = drawn(1, 2, *kind[:2], rooted=kind[2]), bags(2, m, kind[0], 1).requires_grad_()

    def call(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,), {"num_nodes": m})

    inputs = (x, layer.weight, layer.bias)
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs, gen_non_contig_grad_outputs=True)


def test_gradients_are_those_of_the_basis():
    torch.manual_seed(0)
    layer, x = drawn(3, 4), bags(5, 6, 2, 3).requires_grad_()
    inputs = [x, *layer.parameters()]
    ours = torch.autograd.grad(layer(x).sin().sum(), inputs)
    expected = torch.autograd.grad(reference(layer, x, 6).sin().sum(), inputs)
    for found, wanted in zip(ours, expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("needed", [("x",), ("weight",), ("bias",)])
def test_only_some_gradients_are_asked_for(needed):
    layer, x = drawn(2, 2), bags(2, 3, 2, 2)
    tensors = {"x": x, "weight": layer.weight, "bias": layer.bias}
    for name, tensor in tensors.items():
        tensor.requires_grad_(name in needed)
    layer(x).sum().backward()
    assert {name for name, tensor in tensors.items() if tensor.grad is not None} == set(needed)


def test_functional_gradients_and_inference_mode():
    layer, x = drawn(2, 3), bags(2, 3, 2, 2)
    found = torch.func.grad(lambda x: layer(x).sin().sum())(x)
    leaf = x.clone().requires_grad_()
    torch.testing.assert_close(found, torch.autograd.grad(layer(leaf).sin().sum(), leaf)[0])
    with torch.inference_mode():
        assert layer(x).equal(layer(x))


@pytest.mark.parametrize("layout", ["channels first", "expanded"])
def test_memory_layout_does_not_matter(layout):
    layer = drawn(3, 2)
    x = torch.randn(4, 3, 5, 5, dtype=torch.float64).permute(0, 2, 3, 1)
    x = x if layout == "channels first" else x[:1].expand(4, -1, -1, -1)
    torch.testing.assert_close(layer(x), layer(x.contiguous()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [(2, 2), (0, 1)])
def test_each_bag_by_its_class(kind):
    torch.manual_seed(0)
    layer, x = drawn(2, 3, *kind, num_classes=4), bags(6, 3, kind[0], 2)
    classes = torch.tensor([2, 0, 2, 3, 0, 2])
    out = layer(x, classes, num_nodes=3)
    expected = torch.cat([layer(x[i : i + 1], int(c), num_nodes=3) for i, c in enumerate(classes)])
    torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(layer(x, 2, 3), reference(layer, x, 3, 2), rtol=1e-12, atol=1e-12)
    out.sum().backward()
    assert layer.weight.grad.flatten(1).any(1).tolist() == [True, False, True, True]
    assert layer(x[:0], classes[:0], num_nodes=3).shape == (0, *[3] * kind[1], 3)


def test_low_precision():
    torch.manual_seed(0)
    layer, x = drawn(16, 16), bags(4, 9, 2, 16)
    low = copy.deepcopy(layer).bfloat16()
    out = low(x.bfloat16().requires_grad_())
    out.sum().backward()
    assert out.dtype == low.weight.grad.dtype == torch.bfloat16
    assert (out.double() - layer(x)).abs().max() <= 0.03 * layer(x).abs().max()
    single = copy.deepcopy(layer).float()
    with torch.autocast("cpu", torch.bfloat16):
        out = single(x.float())
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert single.weight.grad.dtype == torch.float32 and bool(single.weight.grad.isfinite().all())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", [(2, 2, False), (2, 0, False), (2, 1, True), (1, 2, False)])
def test_large_bags_in_half_precision(dtype, kind):
    """Sums over them are no numbers of float16, and weights divided by their sizes are hardly any."""
    torch.manual_seed(0)
    low = drawn(4, 4, *kind[:2], rooted=kind[2]).to(dtype)
    x = torch.ones(1, *[300] * kind[0], 4, dtype=dtype).requires_grad_()
    expected, leaf = copy.deepcopy(low).double(), x.detach().double().requires_grad_()
    out, wanted = low(x), expected(leaf)
    assert out.dtype == dtype
    bound = 10 * torch.finfo(dtype).eps
    assert (out.double() - wanted).abs().max() <= bound * wanted.abs().max()
    out.float().mean().backward()
    wanted.mean().backward()
    for tensor, other in [(x, leaf), *zip(low.parameters(), expected.parameters(), strict=True)]:
        assert tensor.grad.dtype == dtype
        # What is below the smallest number of the type is lost.
        gap = (tensor.grad.double() - other.grad).abs().max()
        assert gap <= 100 * torch.finfo(dtype).eps * other.grad.abs().max() + 1e-6


def test_initial_weights():
    torch.manual_seed(0)
    layer = EquivariantLinear(30, 50, num_classes=3)
    assert layer.weight.shape == (3, 15, 30, 50) and layer.bias.shape == (3, 2, 50)
    assert abs(layer.weight.std().item() - (2 / 80) ** 0.5) < 1e-3 and abs(layer.weight.mean().item()) < 2e-3
    assert not layer.bias.any()
    before = layer.weight.clone()
    layer.reset_parameters()
    assert not layer.weight.equal(before)


@pytest.mark.parametrize(("kind", "count"), [((2, False), 2), ((1, False), 1), ((0, False), 1), ((2, True), 5)])
def test_number_of_biases(kind, count):
    assert EquivariantLinear(1, 2, 2, kind[0], rooted=kind[1]).bias.shape == (1, count, 2)


def test_without_bias():
    layer = EquivariantLinear(2, 3, bias=False)
    assert layer.bias is None and not layer(torch.zeros(1, 2, 2, 2)).any()
    layer(torch.ones(1, 2, 2, 2)).sum().backward()


def test_copies_and_states():
    layer, x = drawn(2, 3), bags(2, 4, 2, 2)
    twin = EquivariantLinear(2, 3).double()
    twin.load_state_dict(layer.state_dict())
    assert set(layer.state_dict()) == {"weight", "bias"}
    assert twin(x).equal(layer(x)) and copy.deepcopy(layer)(x).equal(layer(x))
    expected = "EquivariantLinear(2, 3, order_in=2, order_out=2, num_classes=1, rooted=False, bias=True)"
    assert repr(layer) == expected


@pytest.mark.parametrize("kind", [(2, 2, False), (0, 1, True)])
def test_compiles_in_one_piece(kind):
    layer = drawn(2, 3, *kind[:2], rooted=kind[2])
    torch.compiler.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    for m in (3, 4):
        results = []
        x = bags(2, m, kind[0], 2)
        for call in (layer, compiled):
            leaf = x.clone().requires_grad_()
            with quiet_tracer():
                out = call(leaf, num_nodes=m)
                results.append([out, *torch.autograd.grad(out.sin().sum(), [leaf, *layer.parameters()])])
        for eager, traced in zip(*results, strict=True):
            torch.testing.assert_close(eager, traced, rtol=1e-12, atol=1e-12)
    torch.compiler.reset()


def test_errors():
    with pytest.raises(ValueError, match="'out_channels' must be at least 1, got 0"):
        EquivariantLinear(2, 0)
    with pytest.raises(ValueError, match=r"'order_out' must be 0 .* got 4"):
        EquivariantLinear(2, 2, order_out=4)
    layer = EquivariantLinear(2, 3, num_classes=2)
    x = torch.zeros(4, 3, 3, 2)
    with pytest.raises(ValueError, match="'x' must have 2 channels, got 5; build the layer with in_channels=5"):
        layer(torch.zeros(4, 3, 3, 5))
    with pytest.raises(ValueError, match=r"'x' must have shape \(num_bags, m, m, channels\) for order 2, got \(4, 3,"):
        layer(x[:, :, :2])
    with pytest.raises(ValueError, match=r"'x' must hold torch.float32 as the parameters do, got torch.float64"):
        layer(x.double())
    with pytest.raises(ValueError, match=r"'x' must hold torch.float32 as the parameters do, got torch.int64"):
        layer(x.long())
    with pytest.raises(ValueError, match=r"'size_class' must lie in \[0, 2\), got -1"):
        layer(x, -1)
    with pytest.raises(ValueError, match=r"'size_class' must lie in \[0, 2\), got 0 to 2"):
        layer(x, torch.tensor([0, 1, 2, 0]))
    with pytest.raises(ValueError, match=r"integers of shape \(4,\), got torch.float32 of shape \(3,\)"):
        layer(x, torch.zeros(3))
    with pytest.raises(ValueError, match="'num_nodes' is missing: from order 0 to order 1"):
        EquivariantLinear(2, 3, 0, 1)(torch.zeros(4, 2))
