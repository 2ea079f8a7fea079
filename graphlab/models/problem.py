"""What a network must know of the data it is built for. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """The task and the widths at both ends of a network.

    Args:
        task: ``"node-classification"``, ``"graph-classification"``, ``"graph-regression"``,
            ``"multitask-regression"`` or ``"set"``.
        in_channels: number of node features; of bits per element for sets.
        out_channels: number of classes, targets or label bits (for multitask regression: of targets
            per graph).
        node_channels: number of targets per node, for multitask regression.
        atoms: whether node features are OGB's atom categories, which are embedded and not
            multiplied.
        edge_channels: number of edge features, for networks of graphs that look at edges' features.
        num_nodes: number of nodes, for networks that give each node parameters of its own.
    """

    task: str
    in_channels: int
    out_channels: int
    node_channels: int = 0
    atoms: bool = False
    edge_channels: int = 0
    num_nodes: int = 0
