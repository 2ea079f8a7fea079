"""Mini-batches from graphs in memory: PyG's neighbour loaders on deterministic samplers and threads."""

from graphlab.loader.link_neighbor_loader import LinkNeighborLoader
from graphlab.loader.neighbor_loader import NeighborLoader
from graphlab.loader.neighbor_sampler import NeighborSampler

__all__ = ["LinkNeighborLoader", "NeighborLoader", "NeighborSampler"]
