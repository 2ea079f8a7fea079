"""Aggregators by name, those of PyG and those of ``graphlab.aggr``."""

import inspect

import torch
from torch_geometric.nn.aggr import Aggregation, MultiAggregation
from torch_geometric.nn.resolver import aggregation_resolver

from graphlab.aggr import register_aggregations


def make_aggregation(names: str, channels: int) -> Aggregation:
    r"""Make the aggregator that ``names`` spells, with all its parameters in place.

    Several names, as in ``"mean,max"``, give one aggregator that concatenates their results and
    projects them back: :math:`W\,[\mathrm{mean}(X) \,\|\, \max(X)]`.

    Args:
        names: one name that PyG resolves, or several separated by commas.
        channels: number of channels of the elements and of the result.

    Shapes:
        the aggregator takes ``[num_elements, channels]`` and gives ``[num_groups, channels]``.

    Raises:
        ValueError: if a name is unknown, needs arguments or changes the number of channels.
    """
    register_aggregations()
    parts = [_make_one(name.strip(), channels) for name in names.split(",")]
    if len(parts) == 1:
        return parts[0]
    widths = {"in_channels": channels, "out_channels": channels}
    return MultiAggregation(list(parts), mode="proj", mode_kwargs=widths)


def _make_one(name: str, channels: int) -> Aggregation:
    try:
        aggregation = aggregation_resolver(name)
    except TypeError as error:
        raise ValueError(
            f"aggregator '{name}' cannot be made by name alone ({str(error).partition(') ')[2]}); "
            f"build the network in Python to give it arguments"
        ) from None
    except ValueError:
        raise ValueError(f"no aggregator is called '{name}'; there are {_names()}") from None
    _materialise(aggregation, name, channels)
    return aggregation


@torch.no_grad()
def _materialise(aggregation: Aggregation, name: str, channels: int) -> None:
    """Let lazily sized parameters take their size, and check that the width is kept."""
    was_training = aggregation.training
    index = torch.tensor([0, 0, 1])
    got = aggregation.eval()(torch.ones(3, channels), index, dim_size=2).size(-1)
    aggregation.train(was_training)
    if got != channels:
        raise ValueError(
            f"aggregator '{name}' turns {channels} channels into {got}; "
            f"expected one that keeps their number"
        )


def _names() -> str:
    """The names that can be made without arguments."""
    import torch_geometric.nn.aggr as room

    classes = [one for one in vars(room).values() if inspect.isclass(one) and _is_free(one)]
    return ", ".join(sorted({one.__name__.removesuffix("Aggregation").lower() for one in classes}))


def _is_free(cls: type) -> bool:
    if not issubclass(cls, Aggregation) or cls is Aggregation:
        return False
    parameters = inspect.signature(cls).parameters.values()
    return all(one.default is not one.empty or one.kind in (2, 4) for one in parameters)
