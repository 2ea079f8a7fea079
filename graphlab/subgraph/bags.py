"""The ego nets of all nodes of a graph, one after another: what subgraph networks compute on."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphlab.ops import Graph, ego_nets
from graphlab.subgraph.equal_sets import equal_sets


@dataclass(frozen=True, eq=False)
class Bags:
    r"""The ego nets of all nodes, where nodes with equal nets share one bag.

    .. math::
        S_v = \{u : d(u, v) \le k\}

    Bag ``b`` has the nodes ``node[node_ptr[b] : node_ptr[b + 1]]``, its root first, and the edges
    ``edge_index[:, edge_ptr[b] : edge_ptr[b + 1]]`` among them. Memory is that of the nets, never that of all pairs of
    nodes.

    Args:
        root: A node whose net each bag is.
        node: The nodes of each bag, nearest to the root first.
        node_ptr: Where the nodes of each bag begin.
        hop: How many hops each node is away from the root.
        edge_index: Source and target of each edge, as places in ``node``.
        edge_id: Which edge of the graph each is.
        edge_ptr: Where the edges of each bag begin.
        bag: The bag of each node of the graph: the one that is its net.
        num_hops: How far the nets reach, :math:`k`.

    Shapes:
        - **root:** ``(num_bags,)``
        - **node, hop:** ``(num_places,)``
        - **node_ptr, edge_ptr:** ``(num_bags + 1,)``
        - **edge_index:** ``(2, num_bag_edges)``, **edge_id:** ``(num_bag_edges,)``
        - **bag:** ``(num_nodes,)``

    Example:
        >>> import torch
        >>> from graphlab.subgraph import Bags
        >>> triangle_and_node = torch.tensor([[0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 0, 2]])
        >>> bags = Bags.from_edge_index(triangle_and_node, num_nodes=4)
        >>> bags.size.tolist(), bags.weight.tolist()  # three nodes share a net
        ([3, 1], [3, 1])
    """

    root: Tensor
    node: Tensor
    node_ptr: Tensor
    hop: Tensor
    edge_index: Tensor
    edge_id: Tensor
    edge_ptr: Tensor
    bag: Tensor
    num_hops: int

    @classmethod
    def from_edge_index(cls, edge_index: Any, num_nodes: int, num_hops: int = 1, merge: bool = True) -> "Bags":
        """Extract the net of every node: what reaches it along at most ``num_hops`` edges, isolated nodes included.

        Args:
            edge_index: What :meth:`graphlab.ops.Graph.from_edge_index` takes.
            num_nodes: The number of nodes of the graph.
            num_hops: How far the nets reach; 0 for the nodes alone.
            merge: Whether nodes whose nets are the same set share one bag.

        Raises:
            ValueError: An argument is wrong, or the nets do not fit in memory.
        """
        graph = Graph.from_edge_index(edge_index, (num_nodes, num_nodes))
        nets = ego_nets(graph.rowptr.cpu(), graph.col.cpu(), num_hops)
        node, node_ptr, edge_ptr = nets.node.long(), nets.node_ptr, nets.edge_ptr
        start = node_ptr[:-1].repeat_interleave(edge_ptr.diff())
        edge_id = nets.edge.long()
        bags = cls(
            root=torch.arange(num_nodes),
            node=node,
            node_ptr=node_ptr,
            hop=nets.hop.long(),
            edge_index=torch.stack([nets.col + start, nets.row + start]),
            edge_id=edge_id if graph.perm is None else graph.perm.cpu().long()[edge_id],
            edge_ptr=edge_ptr,
            bag=torch.arange(num_nodes),
            num_hops=num_hops,
        )
        return (bags.merged() if merge else bags).to(graph.col.device)

    @property
    def num_nodes(self) -> int:
        """The number of nodes of the graph."""
        return self.bag.numel()

    @property
    def num_bags(self) -> int:
        """The number of bags."""
        return self.root.numel()

    @property
    def size(self) -> Tensor:
        """The number of nodes of each bag."""
        return self.node_ptr.diff()

    @property
    def weight(self) -> Tensor:
        """The number of nodes whose net each bag is."""
        return self.bag.bincount(minlength=self.num_bags)

    def merged(self) -> "Bags":
        """Keep one bag for all nodes whose nets are the same set of nodes."""
        kept, same = equal_sets(self.node, self.node_ptr)
        return self if kept.numel() == self.num_bags else self.take(kept, same[self.bag])

    def take(self, chosen: Tensor, bag: Tensor) -> "Bags":
        """Choose and order bags.

        Args:
            chosen: Numbers of the bags to keep.
            bag: The bag of each node, as a place in ``chosen``.

        Shapes:
            - **chosen:** ``(num_chosen,)``
            - **bag:** ``(num_nodes,)``
        """
        place, node_ptr = _segments(self.node_ptr, chosen)
        edge, edge_ptr = _segments(self.edge_ptr, chosen)
        moved = (node_ptr[:-1] - self.node_ptr[chosen]).repeat_interleave(edge_ptr.diff())
        return Bags(
            root=self.root[chosen],
            node=self.node[place],
            node_ptr=node_ptr,
            hop=self.hop[place],
            edge_index=self.edge_index[:, edge] + moved,
            edge_id=self.edge_id[edge],
            edge_ptr=edge_ptr,
            bag=bag,
            num_hops=self.num_hops,
        )

    def to(self, device: torch.device | str) -> "Bags":
        """Copy to a device.

        Args:
            device: Where to.
        """
        parts: dict[str, Any] = {**vars(self)}
        return Bags(**{name: part if name == "num_hops" else part.to(device) for name, part in parts.items()})

    def __repr__(self) -> str:
        return (
            f"Bags(num_hops={self.num_hops}, num_nodes={self.num_nodes}, num_bags={self.num_bags}, "
            f"num_places={self.node.numel()}, num_bag_edges={self.edge_id.numel()})"
        )


def _segments(ptr: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """The entries of chosen segments, and where each of these begins."""
    length = ptr.diff()[chosen]
    begins = torch.cat([ptr.new_zeros(1), length.cumsum(0)])
    entry = (ptr[chosen] - begins[:-1]).repeat_interleave(length)
    return entry + torch.arange(entry.numel(), device=ptr.device), begins
