"""Aggregators by name, those of PyG and those of ``graphlab.aggr``."""

import ast
import inspect
from typing import Any

import torch
from torch_geometric.nn.aggr import Aggregation, MultiAggregation
from torch_geometric.nn.resolver import aggregation_resolver

from graphlab.aggr import register_aggregations
from graphlab.models.pna import PNAAggregation


def make_aggregation(names: str, channels: int) -> Aggregation:
    r"""Make the aggregator that ``names`` spells, with all its parameters in place.

    A name may carry arguments, as in ``"treelcm(associativity=0.1)"``. Several, as in ``"mean,max"``, give one
    aggregator that concatenates their results and projects them back: :math:`W\,[\mathrm{mean}(X) \,\|\, \max(X)]`.

    Args:
        names: one name that PyG resolves, or several separated by commas.
        channels: number of channels of the elements and of the result.

    Shapes:
        the aggregator takes ``[num_elements, channels]`` and gives ``[num_groups, channels]``.

    Raises:
        ValueError: if a name is unknown, an argument is missing or wrong, or the number of channels is not kept.

    Example:
        >>> from graphlab.models import make_aggregation
        >>> make_aggregation("softmax(t=0.5)", 8)
        SoftmaxAggregation(learn=False)
    """
    register_aggregations()
    parts = [_make_one(name, arguments, channels) for name, arguments in _parse(names)]
    if len(parts) == 1:
        return parts[0]
    widths = {"in_channels": channels, "out_channels": channels}
    return MultiAggregation(list(parts), mode="proj", mode_kwargs=widths)


def _parse(names: str) -> list[tuple[str, dict[str, Any]]]:
    """The names and their arguments: the notation is that of Python, and only literals are values."""
    try:
        tree = ast.parse(f"[{names}]", mode="eval").body
        if not isinstance(tree, ast.List) or not tree.elts:
            raise ValueError(names)
        return [_parse_one(node) for node in tree.elts]
    except (SyntaxError, ValueError):
        raise ValueError(f"aggregator '{names}' is not understood; expected NAME or NAME(argument=value)") from None


def _parse_one(node: ast.expr) -> tuple[str, dict[str, Any]]:
    match node:
        case ast.Name(id=name):
            return name, {}
        case ast.Call(func=ast.Name(id=name), args=[], keywords=given):
            return name, {str(one.arg): ast.literal_eval(one.value) for one in given}
    raise ValueError(ast.unparse(node))


def _make_one(name: str, arguments: dict[str, Any], channels: int) -> Aggregation:
    known = _names()
    if name.lower().removesuffix("aggregation").replace("_", "") not in known:
        raise ValueError(f"no aggregator is called '{name}'; there are {', '.join(known)}")
    try:
        aggregation = (
            PNAAggregation(channels, **arguments) if name.lower() == "pna" else aggregation_resolver(name, **arguments)
        )
        got = _materialise(aggregation, channels)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("__init__() ")[2] or str(error)
        raise ValueError(f"aggregator '{name}' ({reason}); arguments are written {name}(argument=value)") from None
    if got != channels:
        raise ValueError(
            f"aggregator '{name}' turns {channels} channels into {got}; expected one that keeps their number"
        )
    return aggregation


@torch.no_grad()
def _materialise(aggregation: Aggregation, channels: int) -> int:
    """Let lazily sized parameters take their size; the index is unsorted, as that of edges is."""
    aggregation.eval()
    out = aggregation(torch.ones(3, channels), torch.tensor([1, 0, 0]), dim_size=2)
    aggregation.train()
    return out.size(-1)


def _names() -> list[str]:
    """The shortest name of every aggregator that PyG's resolver knows, its other name for the sum, and ours for PNA."""
    import torch_geometric.nn.aggr as room

    classes = [one for one in vars(room).values() if inspect.isclass(one) and issubclass(one, Aggregation)]
    names = {one.__name__.removesuffix("Aggregation").lower() for one in classes if one is not Aggregation}
    return sorted(names | {"add", "pna"})
