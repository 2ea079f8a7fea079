"""Layers between an encoder and a head: GraphSAGE, GIN and the perceptron differ in the layer."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.nn import GINConv, SAGEConv
from torch_geometric.nn.aggr import Aggregation

from graphlab.models.aggregation import make_aggregation
from graphlab.models.config import GinConfig, MlpConfig, Norm, SageConfig
from graphlab.models.problem import Problem

_NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "none": lambda channels: nn.Identity(),
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
}


class NodeLinear(nn.Linear):
    """A linear layer that takes the edges of a graph and looks at none."""

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Transform each node's features by itself."""
        return super().forward(x)


def sage_layer(config: SageConfig) -> nn.Module:
    r"""One GraphSAGE layer, :math:`W_1 x_i + W_2\,\mathrm{aggr}_{j \to i}(x_j)`."""
    width = config.hidden_channels
    return SAGEConv(width, width, aggr=make_aggregation(config.aggr, width))


def gin_layer(config: GinConfig) -> nn.Module:
    r"""One GIN layer, :math:`\mathrm{MLP}(x_i + \mathrm{aggr}_{j \to i}(x_j))`."""
    width = config.hidden_channels
    mlp = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
    return GINConv(mlp, aggr=make_aggregation(config.aggr, width))


def mlp_layer(config: MlpConfig) -> nn.Module:
    """One layer of a perceptron on the nodes."""
    return NodeLinear(config.hidden_channels, config.hidden_channels)


def make_layer(config: MlpConfig) -> nn.Module:
    """One layer of the network that ``config`` describes."""
    if isinstance(config, SageConfig):
        return sage_layer(config)
    return gin_layer(config) if isinstance(config, GinConfig) else mlp_layer(config)


class Stack(nn.Module):
    r"""Encoder, layers, and a head on nodes or on pooled graphs.

    .. math::
        h^{(0)} = \mathrm{ReLU}(W_0 x), \quad
        h^{(k)} = \mathrm{ReLU}(\mathrm{norm}(\mathrm{layer}_k(h^{(k-1)}))), \quad
        y = W\, h^{(K)} \ \text{or}\ W\, \mathrm{readout}(h^{(K)})

    The encoder comes first because a learned aggregator costs the square of its width, and raw
    features are wide.

    Args:
        config: which layers, how many, how wide.
        problem: the task and its widths.

    Shapes:
        - x: ``[num_nodes, in_channels]``, edge_index: ``[2, num_edges]``, batch: ``[num_nodes]``
        - output: ``[num_nodes, out_channels]``, or ``[batch_size, out_channels]`` for tasks on
        graphs

    Raises:
        ValueError: if an aggregator cannot be made.
    """

    def __init__(self, config: MlpConfig, problem: Problem) -> None:
        super().__init__()
        width = config.hidden_channels
        self.encoder = _encoder(problem, width)
        self.layers = nn.ModuleList(make_layer(config) for _ in range(config.num_layers))
        self.norms = nn.ModuleList(_NORMS[config.norm](width) for _ in range(config.num_layers))
        self.dropout = nn.Dropout(config.dropout)
        self.readout: Aggregation | None = None
        if problem.task != "node-classification":
            self.readout = make_aggregation(config.readout, width)
        self.head = nn.Linear(width, problem.out_channels)

    def forward(
        self,
        x: Float[Tensor, "nodes in"] | Int[Tensor, "nodes in"],
        edge_index: Int[Tensor, "2 edges"],
        batch: Int[Tensor, " nodes"] | None = None,
        batch_size: int | None = None,
    ) -> Float[Tensor, "rows out"]:
        """Compute logits or predictions, one row per node or, with a readout, per graph."""
        x = self.dropout(self.encoder(x).relu())
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = self.dropout(norm(layer(x, edge_index)).relu())
        if self.readout is not None:
            groups = batch if batch is not None else edge_index.new_zeros(x.size(0))
            x = self.readout(x, groups, dim_size=batch_size or 1)
        return self.head(x)


def _encoder(problem: Problem, width: int) -> nn.Module:
    if not problem.atoms:
        return nn.Linear(problem.in_channels, width)
    from ogb.graphproppred.mol_encoder import AtomEncoder

    return AtomEncoder(width)
