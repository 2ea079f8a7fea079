"""Mini-batches around edges, for link prediction, made by threads."""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch_geometric.loader import LinkNeighborLoader as PyGLinkNeighborLoader
from torch_geometric.sampler import NegativeSampling
from torch_geometric.sampler.base import SubgraphType

from graphlab.loader.epoch_loader import EpochLoader
from graphlab.loader.fanouts import Fanouts
from graphlab.loader.graph_source import Graph
from graphlab.loader.inputs import check_range, checked_edges, checked_times, sampler_for
from graphlab.loader.neighbor_sampler import NeighborSampler
from graphlab.loader.seeds import loader_seed


class LinkNeighborLoader(EpochLoader, PyGLinkNeighborLoader):
    """PyG's ``LinkNeighborLoader`` on :class:`NeighborSampler`: neither pyg-lib nor torch-sparse, nor processes.

    A batch is the sample around the ends of its input edges, and around negative examples, which come from the same
    counter generator as the sample: global generators are not touched, and batches have the same bits for any number
    of threads and ranks. With times, negatives are nodes that are not younger than their positive example, equally
    likely or by weight. Negative examples may be edges of the graph, as in PyG.

    It samples as `Inductive Representation Learning on Large Graphs <https://arxiv.org/abs/1706.02216>`_ (Hamilton et
    al., 2017). Arguments and batches are those of ``torch_geometric.loader.LinkNeighborLoader``.

    Args:
        data: A ``Data``, a ``HeteroData`` or a pair of a feature store and a graph store.
        num_neighbors: How many neighbours each hop keeps, per edge type if it is a dictionary; -1 keeps all.
        edge_label_index: The edges to make batches of, ``[2, num_edges]``; ``None`` for all. Where there are edge
            types, the type or a pair of the type and its edges.
        edge_label: The label of each of them.
        edge_label_time: The time of each of them.
        replace: Whether a neighbour may be drawn several times.
        subgraph_type: ``"directional"``, ``"bidirectional"`` or ``"induced"``.
        disjoint: Whether every end of an edge gets a tree of its own.
        temporal_strategy: ``"uniform"`` or ``"last"``.
        neg_sampling: Negative examples: ``"binary"`` or ``"triplet"``, or a ``NegativeSampling``.
        neg_sampling_ratio: PyG's former word for the amount of binary negatives.
        time_attr: Name of the nodes' or the edges' times.
        weight_attr: Name of the edges' weights.
        transform: What to do to each batch.
        transform_sampler_output: What to do to each sample before its features are looked up.
        is_sorted: Whether edges are sorted by target, and within neighbourhoods by time.
        filter_per_worker: Whether the threads look up features and transform batches; by default they do, unless there
            are transforms or the graph is in remote stores.
        neighbor_sampler: A sampler to use in place of the one that these arguments describe.
        directed: PyG's former word for ``subgraph_type="induced"``, if false.
        seed: Seed of orders, samples and negatives; by default drawn from torch's generator, or the sampler's.
        **kwargs: ``batch_size``, ``shuffle``, ``drop_last``, ``num_workers`` (threads), ``prefetch_factor``, ``rank``
            and ``world_size`` as in :class:`EpochLoader`; further arguments of PyG's and torch's loaders.

    Raises:
        ValueError: An argument does not fit the graph or another one; the message names it.
        TypeError: ``neighbor_sampler`` is one of PyG's.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.loader import LinkNeighborLoader
        >>> ring = Data(num_nodes=6, edge_index=torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]]))
        >>> loader = LinkNeighborLoader(ring, [1], batch_size=2, neg_sampling="binary", seed=0)
        >>> next(iter(loader)).edge_label
        tensor([1., 1., 0., 0.])
    """

    def __init__(
        self,
        data: Graph,
        num_neighbors: Fanouts,
        edge_label_index: Any = None,
        edge_label: Tensor | None = None,
        edge_label_time: Tensor | None = None,
        replace: bool = False,
        subgraph_type: SubgraphType | str = "directional",
        disjoint: bool = False,
        temporal_strategy: str = "uniform",
        neg_sampling: NegativeSampling | str | dict[str, Any] | None = None,
        neg_sampling_ratio: float | None = None,
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
            edge_label_index=checked_edges(edge_label_index, sampler),
            edge_label=edge_label,
            edge_label_time=edge_label_time,
            neg_sampling=neg_sampling,
            neg_sampling_ratio=neg_sampling_ratio,
            time_attr=time_attr,
            transform=transform,
            transform_sampler_output=transform_sampler_output,
            filter_per_worker=filter_per_worker,
            neighbor_sampler=sampler,
            seed=seed,
            **kwargs,
        )
        self._check_inputs(sampler)

    def _check_inputs(self, sampler: NeighborSampler) -> None:
        inputs = self.input_data
        number, kind = inputs.row.numel(), inputs.input_type
        sizes = (sampler.num_nodes,) * 2 if kind is None else (sampler.num_nodes[kind[0]], sampler.num_nodes[kind[-1]])
        for index, size in zip((inputs.row, inputs.col), sizes, strict=True):
            check_range("edge_label_index", index, size)
        if inputs.label is not None and inputs.label.size(0) != number:
            raise ValueError(f"'edge_label' must have {number} labels, got {inputs.label.size(0)}")
        inputs.time = checked_times("edge_label_time", inputs.time, number)

    def _sampled(self, positions: Tensor, key: int) -> Any:
        sampler: Any = self.link_sampler
        return sampler.sample_from_edges(self.input_data[positions], self.neg_sampling, key=key)
