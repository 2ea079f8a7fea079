"""One op: schema, reference, fake, derivatives and batching rule, registered for every backend."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from graphlab.ops import kernels

_OPS: list["Op"] = []
_LIBRARIES: dict[str, torch.library.Library] = {}
# Whether the dispatcher runs a batching rule: there, no autograd.Function can be called.
_DISPATCHER = threading.local()


@dataclass(eq=False)
class Op:
    """An op that compiled kernels or its reference run, differentiable and traceable with either.

    Calling it costs little in eager mode: an ``autograd.Function`` around the raw op, and nothing where no gradient is
    wanted. Traced code finds the registered rules through the dispatcher; ``torch.func`` transforms find the same rules
    in a second ``autograd.Function``.

    Args:
        name: The op's name in ``torch.ops.graphlab``.
        schema: Arguments and results, as ``torch.library`` writes them, without the name.
        values: The position of the argument whose device and precision decide what runs the op.
        reference: The specification: pure PyTorch, any device, any precision.
        fake: Gives results of the right shape without computing.
        setup: Saves for the backward pass, ``setup(ctx, inputs, output)``; ``None`` if there is none.
        backward: Maps ``ctx`` and the gradients of the results to those of the inputs.
        vmap: The batching rule of ``torch.library.register_vmap``, or ``"columns"`` for :meth:`fold_batch`; one member
            after the other by default. A rule calls the op itself, so that what it does can be differentiated.
        dtypes: The types of the deciding argument for which there are kernels; others take the reference.
    """

    name: str
    schema: str
    values: int
    reference: Callable[..., Any]
    fake: Callable[..., Any]
    setup: Callable[..., None] | None = None
    backward: Callable[..., Any] | None = None
    vmap: Callable[..., Any] | str | None = None
    dtypes: tuple[torch.dtype, ...] = kernels.DTYPES
    _raw: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _functions: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _transformed: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        _OPS.append(self)
        for namespace in ("graphlab", "graphlab_ref"):
            self.register(namespace)

    def __call__(self, *args: Any) -> Any:
        """Run the op on what is active for the values.

        Args:
            *args: The arguments of the schema, by position.
        """
        namespace = kernels.namespace(args[self.values], self.dtypes)
        if torch.compiler.is_compiling():
            return self._raw[namespace](*args)
        if torch._C._are_functorch_transforms_active():
            inside = getattr(_DISPATCHER, "runs_rule", False)
            return (self._raw if inside else self._transformed).get(namespace, self._raw[namespace])(*args)
        if self.backward is not None and _differentiates(args):
            return self._functions[namespace].apply(*args)
        with torch._C._AutoDispatchBelowAutograd():
            return self._raw[namespace](*args)

    def register(self, namespace: str) -> None:
        """Register the op in a namespace; compiled libraries bring schemas and kernels to theirs.

        Args:
            namespace: ``"graphlab"``, ``"graphlab_ref"`` or ``"graphlab_emulated"``.
        """
        library = _LIBRARIES.setdefault(namespace, torch.library.Library(namespace, "FRAGMENT"))
        if namespace != "graphlab" or kernels.missing("_C"):
            library.define(self.name + self.schema)
        if namespace != "graphlab_emulated":
            # What has no kernel of its own (another device, no compiler) falls through to this.
            library.impl(self.name, self.reference, "CompositeExplicitAutograd")
        qualified = f"{namespace}::{self.name}"
        torch.library.register_fake(qualified, self.fake, lib=library)
        if self.backward is not None:
            torch.library.register_autograd(qualified, self.backward, setup_context=self.setup, lib=library)
        rule: Any = self.fold_batch if self.vmap == "columns" else self.vmap or self._by_loop
        torch.library.register_vmap(qualified, _for_dispatcher(rule), lib=library)
        raw = getattr(getattr(torch.ops, namespace), self.name).default
        self._raw[namespace] = raw
        if self.backward is not None:
            self._functions[namespace] = _function(self, raw)
            self._transformed[namespace] = _transformable(self, raw, rule).apply

    def _by_loop(self, info: Any, in_dims: tuple, *args: Any) -> tuple:
        """Run the op once for each member of the batch."""
        results = []
        for member in range(info.batch_size):
            own = [a if d is None else a.select(d, member) for a, d in zip(args, in_dims, strict=True)]
            results.append(self(*own))
        if isinstance(results[0], Tensor):
            return torch.stack(results), 0
        return tuple(torch.stack(part) for part in zip(*results, strict=True)), (0,) * len(results[0])

    def fold_batch(self, info: Any, in_dims: tuple, *args: Any) -> tuple:
        """Batching rule of an op whose rows do not mix their columns: a batch of rows becomes more columns.

        Holds where the batch is one of ``values`` alone, which are of shape ``(rows, columns)``, and every result is
        ``(rows, columns)`` or empty; other batches go one by one.

        Args:
            info: Holds the size of the batch.
            in_dims: The batch's dimension in each argument.
            *args: The arguments of the schema.
        """
        at = self.values
        if any(d is not None for i, d in enumerate(in_dims) if i != at):
            return self._by_loop(info, in_dims, *args)
        x = args[at].movedim(in_dims[at], 1)
        folded = x.reshape(x.size(0), x.size(1) * x.size(2))
        out = self(*args[:at], folded, *args[at + 1 :])
        parts = (out,) if isinstance(out, Tensor) else out
        split = [p.view(p.size(0), info.batch_size, x.size(2)) if p.dim() == 2 else p for p in parts]
        dims = tuple(1 if p.dim() == 2 else None for p in parts)
        return (split[0], dims[0]) if isinstance(out, Tensor) else (tuple(split), dims)


def registered() -> list[Op]:
    """Return all ops."""
    return list(_OPS)


def _for_dispatcher(rule: Callable[..., Any]) -> Callable[..., Any]:
    def run(info: Any, in_dims: tuple, *args: Any) -> Any:
        before = getattr(_DISPATCHER, "runs_rule", False)
        _DISPATCHER.runs_rule = True
        try:
            return rule(info, in_dims, *args)
        finally:
            _DISPATCHER.runs_rule = before

    return run


def _differentiates(args: tuple) -> bool:
    # Forward-mode tangents would be lost without a word below autograd; the Function refuses them.
    if forward_ad._current_level >= 0:
        return True
    return torch.is_grad_enabled() and any(isinstance(a, Tensor) and a.requires_grad for a in args)


def _function(op: Op, raw: Any) -> Any:
    """Wrap a raw op into an ``autograd.Function``, a third of the cost of ``register_autograd`` in eager mode."""
    setup, backward = op.setup, op.backward
    assert setup is not None and backward is not None

    def forward(ctx: Any, *args: Any) -> Any:
        with torch._C._AutoDispatchBelowAutograd():
            out = raw(*args)
        setup(ctx, args, out)
        return out

    return _make_function(op, forward=forward, backward=backward)


def _transformable(op: Op, raw: Any, rule: Any) -> Any:
    """Wrap a raw op for ``torch.func``, which asks for a separate ``setup_context`` and so costs more in eager mode."""

    def forward(*args: Any) -> Any:
        return raw(*args)

    return _make_function(op, forward=forward, setup_context=op.setup, backward=op.backward, vmap=rule)


def _make_function(op: Op, **members: Any) -> Any:
    def jvp(ctx: Any, *tangents: Any) -> None:
        raise NotImplementedError(
            f"graphlab::{op.name} has no forward-mode derivative (jvp, jacfwd, make_dual); take reverse mode (vjp, "
            f"jacrev, backward)"
        )

    static = {name: staticmethod(function) for name, function in (members | {"jvp": jvp}).items()}
    return type(f"{op.name}_function", (torch.autograd.Function,), static)
