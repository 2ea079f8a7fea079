"""A transform that drops the directions of a graph where they do not help."""

from typing import Literal

from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform, ToUndirected

from graphlab.directed.amud import amud
from graphlab.directed.is_direction_genuine import is_direction_genuine


class AdaptiveDirection(BaseTransform):
    r"""Make a graph undirected where :func:`~graphlab.directed.amud` finds that its directions do not help.

    .. math::
        A_{ij} \leftarrow \begin{cases} \operatorname{mean} \{ w_e : e = i \to j \text{ or } e = j \to i \}
        & \text{if undirected} \\ A_{ij} & \text{else} \end{cases}

    after the question of AMUD (Sun et al. 2023, arXiv 2312.04111). Only training labels are looked at. The verdict is
    stored as ``data.direction``: ``"directed"``, ``"undirected"`` or ``"undecided"``. When a graph is made undirected,
    edges that are stored several times or in both directions become one in each, with the mean of their weights and
    attributes. Directions that are visibly node numbers (:func:`~graphlab.directed.is_direction_genuine`) are dropped.

    Args:
        split: The column of ``data.train_mask`` whose labels are looked at, where it has several.
        undecided: What becomes of a graph about which nothing can be said. By default it is left as it is, as what is
            thrown away does not come back. One whose directions are not genuine always becomes undirected.

    Raises:
        ValueError: ``undecided`` is unknown, or the data lacks ``edge_index``, ``y`` or ``train_mask``.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> from graphlab.directed import AdaptiveDirection
        >>> data = Data(edge_index=torch.tensor([[0, 1], [1, 2]]), y=torch.tensor([0, 1, 1]), num_nodes=3)
        >>> data.train_mask = torch.ones(3, dtype=torch.bool)
        >>> AdaptiveDirection()(data).edge_index.tolist()  # from lower to higher numbers: not genuine
        [[0, 1, 1, 2], [1, 0, 2, 1]]
    """

    def __init__(self, split: int = 0, undecided: Literal["directed", "undirected"] = "directed") -> None:
        if undecided not in ("directed", "undirected"):
            raise ValueError(f"'undecided' must be 'directed' or 'undirected', got {undecided!r}")
        self.split, self.undecided = split, undecided

    def forward(self, data: Data) -> Data:
        """Judge the graph, store the verdict, and make the graph undirected if that is what it says.

        Args:
            data: A graph; the given object itself is left as it is.
        """
        if getattr(data, "edge_index", None) is None:
            raise ValueError(f"'data' must have an 'edge_index', got {data}; put this transform before ToSparseTensor")
        report = amud(data, split=self.split)
        data.direction = report.verdict
        # Nothing speaks for directions that are not genuine.
        open_to_choice = report.verdict == "undecided" and is_direction_genuine(data.edge_index)
        choice = self.undecided if open_to_choice else report.verdict
        return data if choice == "directed" else ToUndirected(reduce="mean")(data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(split={self.split}, undecided={self.undecided!r})"
