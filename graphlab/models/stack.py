"""Layers between an encoder and a head: GraphSAGE, GIN and the perceptron differ in the layer."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch_geometric.nn import GINConv, SAGEConv
from torch_geometric.nn.aggr import Aggregation
from torch_geometric.utils import trim_to_layer

from graphlab.directed import FeatureLinear
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

    def forward(self, x: Tensor | tuple[Tensor, Tensor], edge_index: Tensor) -> Tensor:
        """Transform each node's features by itself."""
        return super().forward(x if isinstance(x, Tensor) else x[1])


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
        - x: ``[num_nodes, in_channels]``, dense or sparse CSR; edge_index: ``[2, num_edges]``, batch: ``[num_nodes]``
        - output: ``[num_nodes, out_channels]``, or ``[batch_size, out_channels]`` for tasks on
        graphs

    Raises:
        ValueError: if an aggregator cannot be made.
    """

    takes_sparse = True

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
        num_sampled_nodes_per_hop: list[int] | None = None,
        num_sampled_edges_per_hop: list[int] | None = None,
    ) -> Float[Tensor, "rows out"]:
        """Compute logits or predictions, one row per node or, with a readout, per graph.

        Of a sampled batch whose hops are as many as the layers, each layer computes only the nodes that a later one
        needs; of the result, the rows of the seeds are whole.
        """
        x = self.encode(x)
        for depth in range(len(self.layers)):
            if num_sampled_nodes_per_hop is not None and num_sampled_edges_per_hop is not None:
                x, edge_index, _ = trim_to_layer(
                    depth, num_sampled_nodes_per_hop, num_sampled_edges_per_hop, x, edge_index
                )
            x = self.pass_on(depth, x, edge_index)
        if self.readout is not None:
            groups = batch if batch is not None else edge_index.new_zeros(x.size(0))
            x = self.readout(x, groups, dim_size=batch_size or 1)
        return self.head(x)

    def encode(self, x: Tensor) -> Tensor:
        """Bring each node's features to the width of the layers.

        Args:
            x: features.
        """
        return self.dropout(self.encoder(x).relu())

    def pass_on(self, depth: int, x: Tensor | tuple[Tensor, Tensor], edge_index: Tensor) -> Tensor:
        """Apply one layer with its norm, to a graph or to a bipartite part of one.

        Args:
            depth: which layer, from 0.
            x: what the layer before gave, or that of the sources and that of the targets.
            edge_index: sources and targets of the edges.
        """
        return self.dropout(self.norms[depth](self.layers[depth](x, edge_index)).relu())


def _encoder(problem: Problem, width: int) -> nn.Module:
    if not problem.atoms:
        return FeatureLinear(problem.in_channels, width)
    from ogb.graphproppred.mol_encoder import AtomEncoder

    return AtomEncoder(width)
