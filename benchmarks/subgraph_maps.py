"""The equivariant map from order 2 to order 2 against its 15 operations, stacked and mixed by one product."""

import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

import torch
from directed_turns import by_turns
from measure import Peak, gemm_rate, spawned
from torch import Tensor

from graphlab.subgraph import EquivariantLinear, equivariant_basis

# Bags, nodes of each, channels in and out, and how many times faster than the stack.
SHAPES = {(1000, 12, 32): 10, (100, 40, 32): 10, (1, 300, 16): 10, (4000, 4, 64): 5}
STACK_ROUNDS, LARGEST_PEAK = 3, 3


class Stacked(EquivariantLinear):
    """The same layer, its basis written down as one tensor."""

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """All operations at once; biases are 0."""
        return torch.einsum("...kc,kcs->...s", equivariant_basis(x, 2, 2), self.weight[0])


def layers(channels: int) -> dict[str, EquivariantLinear]:
    """Both forms with the same weights."""
    torch.manual_seed(0)
    factored, stacked = EquivariantLinear(channels, channels), Stacked(channels, channels)
    stacked.load_state_dict(factored.state_dict())
    return {"factored": factored, "stacked": stacked}


def forward_of(layer: EquivariantLinear, x: Tensor) -> Callable[[], Tensor]:
    @torch.inference_mode()
    def run() -> Tensor:
        return layer(x)

    return run


def training_of(layer: EquivariantLinear, x: Tensor, gradient: Tensor) -> Callable[[], None]:
    """Gradients of the input, the weights and the biases."""
    leaf = x.clone().requires_grad_()

    def run() -> None:
        leaf.grad = layer.weight.grad = None
        layer(leaf).backward(gradient)

    return run


def peak(shape: tuple[int, int, int], name: str, training: bool) -> float:
    """Peak memory above the start in sizes of the output, with the output itself, in a process of its own."""
    torch.set_num_threads(1)
    bags, m, channels = shape
    layer, x = layers(channels)[name], torch.randn(bags, m, m, channels)
    gradient = torch.randn_like(x)
    small = x[:, :2, :2][:2]
    training_of(layer, small, gradient[:, :2, :2][:2])()
    run = training_of(layer, x, gradient) if training else forward_of(layer, x)
    with Peak() as found:
        run()
    return found.bytes / (x.numel() * x.element_size())


def copy_rate() -> float:
    """Bytes per second read and written in a copy that no cache holds."""
    source = torch.randn(1 << 26)
    target = torch.empty_like(source)

    def seconds() -> float:
        started = time.perf_counter()
        target.copy_(source)
        return time.perf_counter() - started

    return 8 * source.numel() / min(seconds() for _ in range(6))


def limits(shape: tuple[int, int, int], flops: float, rate: float) -> dict[str, float]:
    """Seconds that the two products of each pair take at best, and reading the input and writing the output."""
    bags, m, channels = shape
    pairs = bags * m * m
    return {"flop_limit": 4 * pairs * channels**2 / flops, "byte_limit": 8 * pairs * channels / rate}


def timings(shape: tuple[int, int, int], rounds: int) -> dict[str, float]:
    """By turns; the stack is slow enough for few."""
    bags, m, channels = shape
    both, x = layers(channels), torch.randn(bags, m, m, channels)
    gradient, seconds = torch.randn_like(x), {}
    runs = {
        "forward": {name: forward_of(layer, x) for name, layer in both.items()},
        "training": {name: training_of(layer, x, gradient) for name, layer in both.items()},
    }
    for pass_, contenders in runs.items():
        found = by_turns(contenders, STACK_ROUNDS) | by_turns({"factored": contenders["factored"]}, rounds)
        seconds |= {f"{pass_}_{name}": value for name, value in found.items()}
    return seconds


def run(args: Namespace) -> dict[str, Any]:
    """Each shape of the sizes that bags have."""
    flops, rate, record = gemm_rate(), copy_rate(), {}
    print(f"one thread: {flops / 1e9:.0f} GFLOP/s in large products, {rate / 1e9:.1f} GB/s copied")
    for shape, bar in SHAPES.items():
        found = timings(shape, args.rounds) | limits(shape, flops, rate)
        for name in ("factored", "stacked"):
            found[f"peak_forward_{name}"] = spawned(peak, shape, name, False)
            found[f"peak_training_{name}"] = spawned(peak, shape, name, True)
        record["x".join(map(str, shape))] = found
        show(shape, found, bar)
    return {"gemm_flops": flops, "copy_bytes": rate, "shapes": record}


def show(shape: tuple[int, int, int], found: dict[str, float], bar: float) -> None:
    """Two lines of times and one of memory."""
    print("{} bags of {} nodes, {} channels".format(*shape))
    for pass_ in ("forward", "training"):
        ours, stacked = found[f"{pass_}_factored"], found[f"{pass_}_stacked"]
        line = f"  {pass_:9} {ours * 1e3:8.2f} ms, stacked {stacked * 1e3:8.2f} ms, {stacked / ours:5.1f} times faster"
        print(f"{line}, bar >= {bar} {'ok' if stacked >= bar * ours else 'MISSED'}")
    peaks = [found[f"peak_{pass_}_{name}"] for name in ("factored", "stacked") for pass_ in ("forward", "training")]
    print(
        f"  limit     {found['flop_limit'] * 1e3:8.2f} ms of arithmetic, {found['byte_limit'] * 1e3:.2f} ms of memory"
    )
    verdict = "ok" if peaks[0] <= LARGEST_PEAK else "MISSED"
    print("  peak      {:.2f} outputs forward, {:.2f} training; stacked {:.2f}, {:.2f}".format(*peaks), end="")
    print(f"; forward bar <= {LARGEST_PEAK} {verdict}")
