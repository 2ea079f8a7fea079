"""Mini-batches around nodes, made by threads, the same ones for any number of them."""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch_geometric.loader import NeighborLoader as PyGNeighborLoader
from torch_geometric.sampler.base import SubgraphType

from graphlab.loader.epoch_loader import EpochLoader
from graphlab.loader.fanouts import Fanouts
from graphlab.loader.graph_source import Graph
from graphlab.loader.inputs import checked_nodes, checked_times, sampler_for
from graphlab.loader.neighbor_sampler import NeighborSampler
from graphlab.loader.seeds import loader_seed


class NeighborLoader(EpochLoader, PyGNeighborLoader):
    r"""PyG's ``NeighborLoader`` on :class:`NeighborSampler`: neither pyg-lib nor torch-sparse, nor processes.

    Batch b of epoch e is the sample around the input nodes :math:`\pi_e(bB), \dots, \pi_e((b + 1) B - 1)`, where
    :math:`\pi_e` is a permutation given by (seed, e), and all that is drawn for it is given by (seed, e, b): batches
    have the same bits for any number of threads and ranks, and :meth:`batch` makes any of them alone.

    It samples as `Inductive Representation Learning on Large Graphs <https://arxiv.org/abs/1706.02216>`_ (Hamilton et
    al., 2017). Arguments and batches are those of ``torch_geometric.loader.NeighborLoader``: a batch holds the rows of
    its nodes and edges, the nodes in the order in which they were found, ``batch_size`` input nodes first, and
    ``n_id``, ``e_id``, ``input_id``, ``num_sampled_nodes``, ``num_sampled_edges``, and for trees ``batch``.

    Args:
        data: A ``Data``, a ``HeteroData`` or a pair of a feature store and a graph store.
        num_neighbors: How many neighbours each hop keeps, per edge type if it is a dictionary; -1 keeps all.
        input_nodes: The nodes to make batches of, as an index or a mask; ``None`` for all. Where there are node types,
            the type or a pair of the type and its nodes.
        input_time: The time of each input node; by default its own.
        replace: Whether a neighbour may be drawn several times.
        subgraph_type: ``"directional"``, ``"bidirectional"`` or ``"induced"``.
        disjoint: Whether every input node gets a tree of its own.
        temporal_strategy: ``"uniform"`` or ``"last"``.
        time_attr: Name of the nodes' or the edges' times.
        weight_attr: Name of the edges' weights.
        transform: What to do to each batch.
        transform_sampler_output: What to do to each sample before its features are looked up.
        is_sorted: Whether edges are sorted by target, and within neighbourhoods by time.
        filter_per_worker: Whether the threads look up features and transform batches; by default they do, unless there
            are transforms, which then run in the caller's thread in order and may draw random numbers, or the graph is
            in remote stores, which the caller's thread then asks.
        neighbor_sampler: A sampler to use in place of the one that these arguments describe.
        directed: PyG's former word for ``subgraph_type="induced"``, if false.
        seed: Seed of orders and samples, 64 bits; by default drawn from torch's generator, or the sampler's.
        **kwargs: ``batch_size``, ``shuffle``, ``drop_last``, ``num_workers`` (threads), ``prefetch_factor``, ``rank``
            and ``world_size`` as in :class:`EpochLoader`; further arguments of PyG's and torch's loaders.

    Raises:
        ValueError: An argument does not fit the graph or another one; the message names it.
        TypeError: ``neighbor_sampler`` is one of PyG's.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.loader import NeighborLoader
        >>> ring = Data(num_nodes=6, edge_index=torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]]))
        >>> loader = NeighborLoader(ring, [1, 1], batch_size=2, num_workers=2, seed=0)
        >>> [batch.n_id.tolist() for batch in loader]
        [[0, 1, 5, 4], [2, 3, 1, 0], [4, 5, 3, 2]]
    """

    def __init__(
        self,
        data: Graph,
        num_neighbors: Fanouts,
        input_nodes: Any = None,
        input_time: Tensor | None = None,
        replace: bool = False,
        subgraph_type: SubgraphType | str = "directional",
        disjoint: bool = False,
        temporal_strategy: str = "uniform",
        time_attr: str | None = None,
        weight_attr: str | None = None,
        transform: Callable | None = None,
        transform_sampler_output: Callable | None = None,
        is_sorted: bool = False,
        filter_per_worker: bool | None = None,
        neighbor_sampler: NeighborSampler | None = None,
        directed: bool = True,
        *,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        seed = loader_seed(seed, neighbor_sampler, kwargs)
        sampler = sampler_for(
            neighbor_sampler,
            data,
            num_neighbors,
            subgraph_type=subgraph_type,
            replace=replace,
            disjoint=disjoint,
            temporal_strategy=temporal_strategy,
            time_attr=time_attr,
            weight_attr=weight_attr,
            is_sorted=is_sorted,
            directed=directed,
            seed=seed,
        )
        super().__init__(
            data,
            num_neighbors=num_neighbors,
            input_nodes=checked_nodes(input_nodes, sampler),
            input_time=input_time,
            time_attr=time_attr,
            transform=transform,
            transform_sampler_output=transform_sampler_output,
            filter_per_worker=filter_per_worker,
            neighbor_sampler=sampler,
            seed=seed,
            **kwargs,
        )
        inputs = self.input_data
        inputs.time = checked_times("input_time", inputs.time, inputs.node.numel())
        if inputs.time is None and sampler.is_temporal and inputs.input_type not in sampler.graph.node_time:
            raise ValueError("'input_time' must be given, as the input nodes have no times of their own, got None")

    def _sampled(self, positions: Tensor, key: int) -> Any:
        return self.node_sampler.sample_from_nodes(self.input_data[positions], key=key)
