"""Neighbour sampling whose result depends on the batch alone, behind PyG's sampler interface."""

import math
import warnings
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch_geometric.sampler import (
    EdgeSamplerInput,
    HeteroSamplerOutput,
    NegativeSampling,
    NodeSamplerInput,
    SamplerOutput,
)
from torch_geometric.sampler import NeighborSampler as PyGNeighborSampler
from torch_geometric.sampler.base import DataType, NumNeighbors, SubgraphType
from torch_geometric.sampler.neighbor_sampler import edge_sample, node_sample

from graphlab.loader.fanouts import Fanouts, fanouts_of
from graphlab.loader.graph_source import EdgeType, Graph, NodeType, source_of
from graphlab.loader.negatives import KeyedNegatives, NegativePool
from graphlab.loader.seeds import drawn_seed, seed_hash
from graphlab.loader.stored_graph import read_graph
from graphlab.ops import batch_key, hetero_neighbor_sample, neighbor_sample

Output = SamplerOutput | HeteroSamplerOutput
Seeds = Tensor | dict[str, Tensor]


class NeighborSampler(PyGNeighborSampler):
    r"""PyG's ``NeighborSampler`` on :func:`graphlab.ops.neighbor_sample`: needs neither pyg-lib nor torch-sparse.

    Each hop l visits the nodes that the hop before has found and keeps :math:`k_l` of the in-neighbours of each:

    .. math::
        V_{l+1} = \bigcup_{v \in V_l} S_v, \qquad S_v \subseteq N(v), \quad |S_v| = \min(k_l, |N(v)|)

    (Hamilton et al., `Inductive Representation Learning on Large Graphs <https://arxiv.org/abs/1706.02216>`_, 2017).
    All draws come from a counter generator keyed by the batch, so that a batch is a function of the seed, the epoch
    and its own seed nodes: not of the number of workers, nor of their order, nor of global generators. Graphs, modes
    and results are those of ``torch_geometric.sampler.NeighborSampler``, and PyG's own loaders take one as
    ``neighbor_sampler``; between epochs, :meth:`set_epoch` gives them new neighbours.

    Args:
        data: A ``Data``, a ``HeteroData`` or a pair of a feature store and a graph store.
        num_neighbors: How many neighbours each hop keeps, per edge type if it is a dictionary; -1 keeps all.
        subgraph_type: ``"directional"`` returns the sampled edges, ``"bidirectional"`` their reverses too,
            ``"induced"`` all edges among the sampled nodes.
        replace: Whether a neighbour may be drawn several times.
        disjoint: Whether every seed node gets a tree of its own; with times always.
        temporal_strategy: ``"uniform"`` among the neighbours not younger than the seed, or the ``"last"`` of them.
        time_attr: Name of the nodes' or the edges' times, which are integers.
        weight_attr: Name of the edges' weights; the higher, the likelier an edge is drawn.
        is_sorted: Whether edges are sorted by target, and within neighbourhoods by time; saves memory.
        share_memory: Whether to keep the graph in memory that processes share.
        directed: PyG's former word for ``subgraph_type="induced"``, if false.
        sample_direction: ``"forward"`` draws in-neighbours, ``"backward"`` out-neighbours.
        seed: Seed of all draws, 64 bits; by default drawn from torch's generator, which ``torch.manual_seed`` governs.
        labor: Whether the nodes of a hop agree on whom they draw, so that a batch has fewer (Balin & Catalyurek,
            `Layer-neighbor sampling <https://arxiv.org/abs/2210.13339>`_, 2022); for homogeneous graphs.

    Raises:
        ValueError: An argument does not fit the graph or another one; the message names it.
        NotImplementedError: As in PyG, for times of backward sampling and weights of remote graphs.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from torch_geometric.sampler import NodeSamplerInput
        >>> from graphlab.loader import NeighborSampler
        >>> ring = Data(edge_index=torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]]), num_nodes=4)
        >>> sampler = NeighborSampler(ring, [1, 1], seed=0)
        >>> sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([2]))).node
        tensor([2, 1, 0])
    """

    def __init__(
        self,
        data: Graph,
        num_neighbors: Fanouts,
        subgraph_type: SubgraphType | str = "directional",
        replace: bool = False,
        disjoint: bool = False,
        temporal_strategy: str = "uniform",
        time_attr: str | None = None,
        weight_attr: str | None = None,
        is_sorted: bool = False,
        share_memory: bool = False,
        directed: bool = True,
        sample_direction: Literal["forward", "backward"] = "forward",
        *,
        seed: int | None = None,
        labor: bool = False,
    ) -> None:
        # PyG's constructor asks for pyg-lib and sorts edges of one node in no certain order, so it is not called.
        source = source_of(data)
        if not directed:
            warnings.warn("'directed' is deprecated, write subgraph_type='induced' for directed=False", stacklevel=2)
            subgraph_type = SubgraphType.induced
        self.data_type = DataType.from_data(data)
        self.sample_direction = sample_direction
        self.node_types, self.edge_types = source.node_types, source.edge_types
        self._check_choices(subgraph_type, temporal_strategy, time_attr, weight_attr, labor)
        self._check_names()
        self.graph = read_graph(
            source,
            time_attr=time_attr,
            weight_attr=weight_attr,
            is_sorted=is_sorted,
            backward=sample_direction == "backward",
        )
        if share_memory:
            self.graph.share_memory()
        self.num_neighbors = num_neighbors
        self.replace = replace
        self.disjoint = disjoint
        self.subgraph_type = SubgraphType(subgraph_type)
        self.temporal_strategy = temporal_strategy
        self.keep_orig_edges = False
        self.labor = labor
        self.seed = drawn_seed(seed)
        # Shared, so that workers that live on hear of a new epoch.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self._pools: dict[tuple[str, NodeType], tuple[Any, int | None, NegativePool]] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._epoch.share_memory_()  # neither pickle nor deepcopy keeps it so

    def set_epoch(self, epoch: int) -> None:
        """Draw other neighbours from now on, also in worker processes.

        Args:
            epoch: The number of the epoch.
        """
        self._epoch.fill_(epoch)

    def key_of(self, seed: Seeds) -> int:
        """Return the key of a batch that has no number: of the seed, the epoch and a hash of the seed nodes.

        Args:
            seed: The seed nodes, or those of each node type.
        """
        return batch_key(self.seed, int(self._epoch), seed_hash(seed))

    @property
    def num_neighbors(self) -> NumNeighbors:
        """How many neighbours each hop keeps; assigning checks them against the graph."""
        return self._num_neighbors

    @num_neighbors.setter
    def num_neighbors(self, num_neighbors: Fanouts) -> None:
        self._fanouts = fanouts_of(num_neighbors, self.edge_types)
        values = num_neighbors if isinstance(num_neighbors, NumNeighbors) else NumNeighbors(num_neighbors)
        self._num_neighbors = values

    @property
    def is_hetero(self) -> bool:
        """Whether there are node and edge types."""
        return self.edge_types != [None]

    @property
    def num_nodes(self) -> Any:
        """The number of nodes, of each type if there are types."""
        return self.graph.num_nodes if self.is_hetero else self.graph.num_nodes[None]

    @property
    def node_time(self) -> Any:
        """The nodes' times, of each type if there are types; ``None`` without."""
        return (self.graph.node_time or None) if self.is_hetero else self.graph.node_time.get(None)

    @property
    def edge_time(self) -> Any:
        """The edges' times in stored order, of each type if there are types; ``None`` without."""
        return (self.graph.edge_time or None) if self.is_hetero else self.graph.edge_time.get(None)

    @property
    def edge_permutation(self) -> Any:
        """Where the user has each stored edge, of each type if there are types."""
        return self.graph.perm if self.is_hetero else self.graph.perm[None]

    def sample_from_nodes(self, inputs: NodeSamplerInput, key: int | None = None) -> Output:
        """Sample the neighbourhoods of seed nodes.

        Args:
            inputs: The seed nodes.
            key: The batch's key, see :func:`graphlab.ops.batch_key`; by default that of :meth:`key_of`.
        """
        return self._finish(node_sample(inputs, partial(self._sample, key=key)))

    def sample_from_edges(
        self, inputs: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None, key: int | None = None
    ) -> Output:
        """Sample the neighbourhoods of the ends of seed edges, and of negative examples.

        Negatives come from the batch's key as well. With times they are nodes that are not younger than their
        positive example, each of them equally likely or by weight.

        Args:
            inputs: The seed edges.
            neg_sampling: Mode and amount of negative examples; ``None`` for none.
            key: The batch's key; by default that of :meth:`key_of` for the ends of the edges.
        """
        if key is None:
            key = self.key_of(torch.cat([inputs.row, inputs.col]))
        if neg_sampling is not None:
            neg_sampling = self._keyed(neg_sampling, inputs, key)
        sample = partial(self._sample_examples, inputs=inputs, neg_sampling=neg_sampling, key=key)
        # Without their times: the negatives here know them already.
        return self._finish(edge_sample(inputs, sample, self.num_nodes, self.disjoint, None, neg_sampling))

    def _finish(self, out: Any) -> Output:
        if self.subgraph_type == SubgraphType.bidirectional:
            return out.to_bidirectional(keep_orig_edges=self.keep_orig_edges)
        return out

    def _sample(self, seed: Any, seed_time: Any = None, *, key: int | None = None, **_: Any) -> Any:
        key = self.key_of(seed) if key is None else key
        options = {
            "csc": True,
            "replace": self.replace,
            "directed": self.subgraph_type != SubgraphType.induced,
            "disjoint": self.disjoint,
            "temporal_strategy": self.temporal_strategy,
            "key": key,
        }
        if isinstance(seed, dict):
            return self._sample_types(seed, seed_time, options)
        return self._sample_one_type(seed, seed_time, options)

    def _sample_one_type(self, seed: Tensor, seed_time: Tensor | None, options: dict[str, Any]) -> SamplerOutput:
        graph = self.graph
        row, col, node, edge, nodes_per_hop, edges_per_hop = neighbor_sample(
            graph.ptr[None],
            graph.neighbor[None],
            seed.long(),
            self._fanouts[None],
            node_time=graph.node_time.get(None),
            edge_time=graph.edge_time.get(None),
            seed_time=seed_time,
            edge_weight=graph.edge_weight.get(None),
            labor=self.labor,
            **options,
        )
        batch, node = node.t().contiguous() if self.disjoint else (None, node)
        if self.sample_direction == "backward":
            row, col = col, row
        counted = edges_per_hop is not None
        return SamplerOutput(
            node=node,
            row=row,
            col=col,
            edge=edge,
            batch=batch,
            num_sampled_nodes=nodes_per_hop if counted else None,
            num_sampled_edges=edges_per_hop,
        )

    def _sample_types(self, seed: dict[str, Tensor], seed_time: Any, options: dict[str, Any]) -> HeteroSamplerOutput:
        graph, names = self.graph, {self._name(kind): kind for kind in self.edge_types}

        def named(values: dict[Any, Any]) -> dict[str, Any]:
            return {name: values[kind] for name, kind in names.items() if kind in values}

        def typed(values: dict[str, Any] | None) -> Any:
            return None if values is None else {names[name]: value for name, value in values.items()}

        row, col, node, edge, nodes_per_hop, edges_per_hop = hetero_neighbor_sample(
            self.node_types,
            [self._walked(kind) for kind in self.edge_types],
            named(graph.ptr),
            named(graph.neighbor),
            {kind: nodes.long() for kind, nodes in seed.items()},
            named(self._fanouts),
            node_time_dict=graph.node_time or None,
            edge_time_dict=named(graph.edge_time) or None,
            seed_time_dict=seed_time,
            edge_weight_dict=named(graph.edge_weight) or None,
            **options,
        )
        batch = None
        if self.disjoint:
            batch = {kind: pairs[:, 0].contiguous() for kind, pairs in node.items()}
            node = {kind: pairs[:, 1].contiguous() for kind, pairs in node.items()}
        if self.sample_direction == "backward":
            row, col = col, row
        counted = edges_per_hop is not None
        return HeteroSamplerOutput(
            node=node,
            row=typed(row),
            col=typed(col),
            edge=typed(edge),
            batch=batch,
            num_sampled_nodes=nodes_per_hop if counted else None,
            num_sampled_edges=typed(edges_per_hop),
        )

    def _walked(self, kind: EdgeType) -> tuple[str, str, str]:
        """Return an edge type as it is walked: from the neighbour to the node that it is drawn for."""
        return kind[::-1] if self.sample_direction == "backward" else kind

    def _name(self, kind: EdgeType) -> str:
        """Return what the op calls an edge type."""
        return "__".join(self._walked(kind))

    def _sample_examples(
        self, seed: Any, seed_time: Any, *, inputs: EdgeSamplerInput, neg_sampling: NegativeSampling | None, key: int
    ) -> Any:
        """Sample, and say of each tree which positive example it belongs to.

        PyG takes the tree's number modulo that of positives, which is wrong where negatives are not a multiple.
        """
        out = self._sample(seed, seed_time, key=key)
        if out.batch is None:
            return out
        number = inputs.row.numel()
        negatives = math.ceil(number * neg_sampling.amount) if neg_sampling else 0
        sources = number + (negatives if neg_sampling and neg_sampling.is_binary() else 0)
        example = torch.cat([torch.arange(sources), torch.arange(number + negatives)]) % max(number, 1)
        if isinstance(out.batch, dict):
            out.batch = {kind: example[tree] for kind, tree in out.batch.items()}
        else:
            out.batch = example[out.batch]
        return out

    def _keyed(self, neg_sampling: NegativeSampling, inputs: EdgeSamplerInput, key: int) -> KeyedNegatives:
        kinds = (None, None) if inputs.input_type is None else (inputs.input_type[0], inputs.input_type[-1])
        weights = (neg_sampling.src_weight, neg_sampling.dst_weight)
        pools = {end: self._pool(end, kind, w) for end, kind, w in zip(("src", "dst"), kinds, weights, strict=True)}
        return KeyedNegatives(neg_sampling, key, pools, inputs.time)

    def _pool(self, end: str, kind: NodeType, weight: Any) -> NegativePool:
        """Return where negatives of one end come from; kept for as long as its weights stay the same."""
        version = 0 if weight is None else None if weight.is_inference() else weight._version
        known = self._pools.get((end, kind))
        # Tensors of inference mode count no versions, and may have changed.
        if known is None or known[0] is not weight or known[1] != version or version is None:
            pool = NegativePool(self.graph.num_nodes[kind], weight, self.graph.node_time.get(kind))
            self._pools[end, kind] = known = weight, version, pool
        return known[2]

    def _check_choices(
        self, subgraph_type: Any, temporal_strategy: str, time_attr: Any, weight_attr: Any, labor: bool
    ) -> None:
        choices: list[tuple[str, Any, tuple[str, ...]]] = [
            ("subgraph_type", getattr(subgraph_type, "value", subgraph_type), tuple(t.value for t in SubgraphType)),
            ("temporal_strategy", temporal_strategy, ("uniform", "last")),
            ("sample_direction", self.sample_direction, ("forward", "backward")),
        ]
        for name, value, known in choices:
            if value not in known:
                raise ValueError(f"'{name}' must be one of {', '.join(map(repr, known))}, got {value!r}")
        if temporal_strategy == "last" and time_attr is None:
            raise ValueError("'temporal_strategy' is 'last', which needs 'time_attr', got None")
        if time_attr is not None and self.sample_direction == "backward":
            raise NotImplementedError("'time_attr' does not go with sample_direction='backward'; sample forward")
        if weight_attr is not None and self.data_type == DataType.remote:
            raise NotImplementedError("'weight_attr' needs a Data or HeteroData, got (FeatureStore, GraphStore)")
        if labor and self.is_hetero:
            raise ValueError("'labor' needs a homogeneous graph, got one with types")

    def _check_names(self) -> None:
        names: dict[str, EdgeType] = {}
        for kind in self.edge_types if self.is_hetero else ():
            other = names.setdefault(self._name(kind), kind)
            if other != kind:
                raise ValueError(
                    f"'data' must have edge types that differ in name, got {other} and {kind}, which are both "
                    f"{self._name(kind)!r}; rename one"
                )
