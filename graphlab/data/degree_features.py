"""Features for graphs whose nodes have none: the degree, as a label."""

from typing import Any

import torch
from torch.nn import functional as F
from torch_geometric.utils import degree


def with_degree_features(dataset: Any) -> Any:
    r"""Give each node the one-hot code of its degree, among the degrees that occur in the whole set.

    .. math:: x_{v k} = [\deg(v) = d_k], \quad d_1 < d_2 < \dots \text{ all degrees of all graphs}

    Xu et al. (2019, arXiv 1810.00826) call it ``degree_as_tag``.

    Args:
        dataset: An in-memory set of graphs; changed in place. Its edges are counted once for each time they are listed.

    Shapes:
        - x of a graph: ``[num_nodes, number of different degrees]``, float32

    Returns:
        The same set.
    """
    transform, dataset.transform = dataset.transform, None
    graphs = [dataset.get(i) for i in range(len(dataset))]
    degrees = [degree(graph.edge_index[0], graph.num_nodes, torch.long) for graph in graphs]
    found, labels = torch.cat(degrees).unique(return_inverse=True)
    codes = F.one_hot(labels, len(found)).float()
    for graph, x in zip(graphs, codes.split([len(one) for one in degrees]), strict=True):
        graph.x = x
        del graph.num_nodes  # x says it
    dataset.data, dataset.slices = dataset.collate(graphs)
    dataset.transform = transform
    return dataset
