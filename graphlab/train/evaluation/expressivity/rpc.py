"""BREC's own protocol, Reliable Paired Comparison: a network is trained on each pair to tell it apart."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_embedding_loss
from torch_geometric.data import Data

from graphlab.train.evaluation.expressivity.embedding import GraphBatch, collate, made, relabelled, vectors
from graphlab.train.evaluation.expressivity.networks import Network
from graphlab.train.evaluation.expressivity.protocols import RPC
from graphlab.train.evaluation.expressivity.t_squared import t_squared


@dataclass(frozen=True)
class PairResult:
    """What became of a pair.

    Args:
        t_squared: the statistic of the two graphs.
        t_squared_reliability: the statistic of one graph and itself.
        epochs: how long the network was trained.
    """

    t_squared: float
    t_squared_reliability: float
    epochs: int

    @property
    def is_reliable(self) -> bool:
        """Whether a graph is not told from itself."""
        return self.t_squared_reliability < RPC.threshold

    @property
    def is_separated(self) -> bool:
        """Whether the two graphs are told apart, whether reliably or not."""
        alike = math.isclose(self.t_squared, self.t_squared_reliability, rel_tol=0, abs_tol=RPC.close)
        return self.t_squared > RPC.threshold and not alike


def compare_pair(make: Callable[[], nn.Module], first: Data, second: Data, seed: int = 0) -> PairResult:
    r"""Train a new network to tell two graphs apart, and test whether it does (Wang and Zhang, 2023, arXiv 2304.07702).

    Each graph is taken with its nodes in 32 random orders. The network learns, in float32, to turn the vectors of the
    two graphs away from one another,

    .. math::
        \ell = \operatorname*{mean}_i \max(0, \cos(x_i, y_i)),

    for 20 epochs or until the loss of one is below 0.2. It tells them apart if :func:`t_squared` of all orders exceeds
    72.34; it is reliable if that of 32 orders of one graph and 32 others of the same does not.

    Args:
        make: makes a network of ``x, edge_index, batch, batch_size``.
        first: one graph.
        second: the other graph.
        seed: of the weights and the orders.

    Raises:
        ConfigError: if there is no finite vector of each graph.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = make().float()
        orders = torch.Generator().manual_seed(seed)
        pairs = _in_orders(first, second, orders)
        epochs = _train(module, pairs)
        either = (first, second)[int(torch.randint(2, (), generator=orders))]
        again = _in_orders(either, either, orders)
    return PairResult(t_squared(*_vectors(module, pairs)), t_squared(*_vectors(module, again)), epochs)


def rpc_network(network: Network, in_channels: int) -> Callable[[], nn.Module]:
    """What makes a network as this protocol trains it.

    Args:
        network: which.
        in_channels: width of the node features.
    """
    return lambda: made(network, in_channels, RPC.hidden_channels, RPC.channels)


def _in_orders(first: Data, second: Data, generator: torch.Generator) -> list[GraphBatch]:
    """Batches of the two graphs in turn, in random orders of their nodes."""
    graphs = [relabelled(graph, generator) for _ in range(RPC.orders) for graph in (first, second)]
    return [collate(graphs[start : start + RPC.batch], torch.float32) for start in range(0, len(graphs), RPC.batch)]


def _train(module: nn.Module, pairs: list[GraphBatch]) -> int:
    """Train; the number of epochs."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not parameters:
        return 0
    optimizer = torch.optim.Adam(parameters, lr=RPC.learning_rate, weight_decay=RPC.weight_decay)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    module.train()
    for epoch in range(RPC.epochs):
        losses = [_step(module, batch, optimizer) for batch in pairs]
        mean = sum(losses) / len(losses)
        if mean < RPC.good_enough:
            return epoch + 1
        scheduler.step(mean)
    return RPC.epochs


def _step(module: nn.Module, batch: GraphBatch, optimizer: torch.optim.Optimizer) -> float:
    optimizer.zero_grad()
    found = vectors(module, batch)
    first, second = found[::2], found[1::2]
    loss = cosine_embedding_loss(first, second, -first.new_ones(len(first)))
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def _vectors(module: nn.Module, pairs: list[GraphBatch]) -> tuple[Tensor, Tensor]:
    module.eval()
    found = torch.cat([vectors(module, batch) for batch in pairs])
    return found[::2], found[1::2]
