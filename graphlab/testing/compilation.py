"""`torch.compile(fullgraph=True)` finds no break and changes no number."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch_geometric.nn import Linear, MessagePassing, SAGEConv
from torch_geometric.nn.aggr import Aggregation

from graphlab.testing.determinism import gradients
from graphlab.testing.groups import seeded
from graphlab.testing.law import Law
from graphlab.testing.trial import Make, Trial, trials

#: A compiler may reorder, so its bound is wider than that of an unchanged computation.
COMPILED: Mapping[torch.dtype, float] = MappingProxyType({torch.float64: 1e-10})


def check_compile(
    make: Make,
    channels: int = 8,
    *,
    backend: str = "aot_eager",
    bound: Mapping[torch.dtype, float] = COMPILED,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> None:
    """Check that the aggregator, alone and in `SAGEConv`, compiles in one piece.

    The compiled one must give the results and gradients of the eager one, on two inputs with
    different numbers of elements.

    Args:
        make: Builds the aggregator.
        channels: Number of input channels.
        backend: Backend of `torch.compile`; "aot_eager" needs no compiler, "inductor" is the
            default of `torch.compile`.
        bound: Largest relative error by precision.
        device: Where to run.
        seed: Seed of parameters and inputs.

    Raises:
        AssertionError: The law is broken; the message names input, error and bound.
    """
    for trial in trials("compile", make, channels, bound, device, seed):
        _check_alone(trial, backend)
        _check_in_conv(trial, backend)


def _check_alone(trial: Trial, backend: str) -> None:
    calls = []
    for groups in (trial.groups(3, 0, 5, 2), trial.groups(1, 9, 4, 0)):
        calls.append((str(groups), groups.x, {"index": groups.index, "dim_size": len(groups)}))
    check_module_compiles(trial.law, trial.aggr, calls, backend, trial.bound)


def _check_in_conv(trial: Trial, backend: str) -> None:
    x = trial.draw(4, trial.like.size(-1))
    conv = trial.law.run("SAGEConv built with the aggregator", lambda: sage(trial.aggr, x))
    calls = []
    for edges in ([[0, 1, 2, 0], [1, 1, 1, 3]], [[0, 1, 2, 0, 3, 3], [0, 0, 1, 3, 3, 3]]):
        edge_index = torch.tensor(edges, device=x.device)
        calls.append((f"{conv} on edge_index {edges}", x, {"edge_index": edge_index}))
    check_module_compiles(trial.law, conv, calls, backend, trial.bound)


class SAGE(SAGEConv):
    """`SAGEConv` whose generated code is its own.

    PyG generates the code of a layer class once, for its first instance in the process. With an aggregator object that
    is code without the sparse product, and every later `SAGEConv("mean")` would fail on sparse matrices.
    """

    # Not the code generated for `SAGEConv`, should there be some: explainers would find no original to go back to.
    propagate = MessagePassing.propagate


def sage(aggr: Aggregation, x: Tensor) -> SAGE:
    """Put an aggregator into `SAGEConv` with weights of fixed seed.

    Args:
        aggr: The aggregator; the layer resets its parameters, as PyG's layers do.
        x: Gives the number of channels, dtype and device.

    Shapes:
        x: `(N, F)`.
    """
    channels = x.size(-1)
    with seeded(0):
        conv = SAGE(channels, channels, aggr=aggr).to(x.device, x.dtype)
        out = conv.aggr_module(x[:1], x.new_zeros(1, dtype=torch.long), dim_size=1)
        if out.size(-1) != channels:
            # SAGEConv takes for granted that aggregation keeps the number of channels.
            conv.lin_l = Linear(out.size(-1), channels).to(x.device, x.dtype)
    return conv.eval()


def check_module_compiles(
    law: Law,
    module: torch.nn.Module,
    calls: list[tuple[str, Tensor, dict[str, Any]]],
    backend: str,
    bound: float,
) -> None:
    """Hold a compiled module against the eager one: no break, same results, same gradients.

    Args:
        law: The law, for messages.
        module: The module.
        calls: For each call the input in words, `x`, and further arguments.
        backend: Backend of `torch.compile`.
        bound: Largest relative error.

    Raises:
        AssertionError: There is a break, or the numbers differ.
    """
    torch.compiler.reset()
    compiled = torch.compile(module, fullgraph=True, backend=backend)
    for given, x, kwargs in calls:
        given = f"{given}; torch.compile(fullgraph=True, backend='{backend}')"
        expected = _run(law, f"{given}, eager", module, module, x, kwargs)
        with quiet_tracer():
            actual = _run(law, given, compiled, module, x, kwargs)
        for name, value in expected.items():
            law.close(f"{given}; {name}", actual[name], value, bound)
    torch.compiler.reset()


@contextmanager
def quiet_tracer() -> Iterator[None]:
    """Silence a warning of torch about what its own tracer does when it meets an `autograd.Function`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*should not be instantiated", DeprecationWarning)
        yield


def _run(
    law: Law,
    given: str,
    call: Callable[..., Tensor],
    module: torch.nn.Module,
    x: Tensor,
    kwargs: dict[str, Any],
) -> dict[str, Tensor]:
    def run() -> dict[str, Tensor]:
        leaf = x.clone().requires_grad_()
        out = call(leaf, **kwargs)
        return {"result": out.detach(), **gradients(module, leaf, out)}

    return law.run(given, run)
