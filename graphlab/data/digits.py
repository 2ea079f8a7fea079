"""Handwritten digits as a nearest-neighbour graph: a node task that needs no download."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.utils import to_undirected

from graphlab.data.masks import stratified_masks
from graphlab.data.pyg import Transform

_NUM_TRAIN, _NUM_VALID = 200, 500
_WHITE = 16.0  # the largest pixel value


class Digits(InMemoryDataset):
    """The 1,797 digits bundled with scikit-learn, each linked with those most like it.

    An undirected edge joins two digits if either is among the ``k`` nearest of the other by
    Euclidean distance; so in-degrees are ragged, ``k`` at least. Images are of 8 x 8 pixels, scaled
    to [0, 1]. Masks: 200 nodes to train, 500 to validate, 1,097 to test, stratified by class,
    always the same.

    Data: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998.

    Args:
        k: Nearest neighbours of a node; 1 or more.
        transform: Applied to the graph at every access.

    Shapes:
        - x: ``[1797, 64]``, edge_index: ``[2, E]``, y: ``[1797]``

    Raises:
        ValueError: If ``k`` is below 1 or leaves no other node out.

    Example:
        >>> from graphlab.data.digits import Digits
        >>> Digits(k=8)[0].num_nodes
        1797
    """

    def __init__(self, k: int = 8, transform: Transform | None = None) -> None:
        super().__init__(transform=transform)
        pixels, digits = map(np.asarray, load_digits(return_X_y=True))
        y = torch.from_numpy(digits).long()
        masks = stratified_masks(y, torch.arange(y.numel()), [_NUM_TRAIN, _NUM_VALID])
        graph = Data(
            x=torch.from_numpy(pixels / _WHITE).float(),
            edge_index=to_undirected(nearest_neighbours(pixels, k), num_nodes=y.numel()),
            y=y,
            train_mask=masks[0],
            val_mask=masks[1],
            test_mask=masks[2],
        )
        self.data, self.slices = self.collate([graph])


def nearest_neighbours(points: np.ndarray, k: int) -> Tensor:
    """Edges ``j -> i`` from the ``k`` nearest points ``j`` of each point ``i``.

    Of equally near points the first count.

    Args:
        points: Coordinates that are whole numbers, so that distances are exact.
        k: Neighbours of a point, below the number of points.

    Shapes:
        - points: ``[n, d]``
        - returned: ``[2, n k]``

    Raises:
        ValueError: If ``k`` is not in ``[1, n)``.
    """
    n = len(points)
    if not 1 <= k < n:
        raise ValueError(f"k must be at least 1 and below the {n} points, got {k}")
    # Not scikit-learn's neighbours: how those break ties depends on the number of threads, and
    # whole-number pixels tie often. Distance first, index second makes every key different, and all
    # of it is exact in float64.
    squares = (points**2).sum(axis=1)
    key = (squares[:, None] + squares - 2 * points @ points.T) * n + np.arange(n)
    np.fill_diagonal(key, np.inf)
    near = np.sort(np.argpartition(key, k, axis=1)[:, :k], axis=1)
    edges = np.stack([near.reshape(-1), np.arange(n).repeat(k)])
    return torch.from_numpy(edges)
