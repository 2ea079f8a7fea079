"""Networks of SPEN as the paper has them: tables of all n x n pairs, a bag and a graph at a time."""

from typing import Any

import torch
from torch import Tensor, nn

from graphlab.subgraph import SPENEncoder
from tests.subgraph.dense_spen import class_number, dense_layer

EPS = 1e-5


def drawn(net: nn.Module, seed: int = 0) -> Any:
    """The network in float64, whose biases, normalisations and running statistics are not what they begin with."""
    torch.manual_seed(seed)
    net = net.double()
    for name, value in [*net.named_parameters(), *net.named_buffers()]:
        if value.dim() == 1 or "bias" in name:
            nn.init.uniform_(value, 0.5, 1.5) if "var" in name else nn.init.normal_(value)
    return net


def elu(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, x.exp() - 1)


def dense_norm(norm: Any, rows: Tensor, graph: Tensor) -> Tensor:
    """Batch normalisation of all rows, or graph normalisation of those of each graph."""
    if hasattr(norm, "running_mean"):
        mean, var = norm.running_mean, norm.running_var
        if norm.training:
            mean, var = rows.mean(0), rows.var(0, correction=0)
        return (rows - mean) / (var + EPS).sqrt() * norm.weight + norm.bias
    if not hasattr(norm, "mean_scale"):
        return rows
    out = torch.empty_like(rows)
    for g in graph.unique():
        shifted = rows[graph == g] - norm.mean_scale * rows[graph == g].mean(0)
        out[graph == g] = norm.weight * shifted / (shifted.square().mean(0) + EPS).sqrt() + norm.bias
    return out


def dense_pair_features(x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, normalize: bool) -> Tensor:
    """Adjacency, normalised or not, and edge features in a table; node features on its diagonal."""
    n, edge_dim = x.size(0), 0 if edge_attr is None else edge_attr.size(1)
    count, edges = torch.zeros(n, n, dtype=x.dtype), torch.zeros(n, n, edge_dim, dtype=x.dtype)
    for e, (i, j) in enumerate(edge_index.T.tolist()):
        count[i, j] += 1
        if edge_attr is not None:
            edges[i, j] += edge_attr[e]
    if normalize:
        count = count / (count.sum(1)[:, None] * count.sum(0)).sqrt().clamp(min=1)
    return torch.cat([count[..., None], edges, torch.eye(n, dtype=x.dtype)[..., None] * x], -1)


def dense_readout(readout: Any, x: Tensor, x_node: Tensor, sets: list[list[int]], classes: tuple[int, ...]) -> Tensor:
    """A vector of each bag: means of the diagonal, of all pairs, and of nodes."""
    rows = []
    for members in sets:
        m, w = len(members), class_number(len(members), classes)
        bag, nodes = x[members][:, members], x_node[members]
        trace, total = sum(bag[i, i] for i in range(m)) / m, bag.sum((0, 1)) / m**2
        of_pairs = trace @ readout.weight20[w, 0] + total @ readout.weight20[w, 1]
        rows.append(torch.cat([of_pairs, nodes.sum(0) / m @ readout.weight10[w, 0]]) + readout.bias[w])
    return torch.stack(rows)


def dense_encoder(
    encoder: SPENEncoder,
    x: Tensor,
    edge_index: Tensor,
    sets: list[list[int]],
    classes: tuple[int, ...],
    batch: Tensor,
    edge_attr: Tensor | None = None,
    normalize: bool = True,
    jk: str = "last",
) -> Tensor:
    """A vector of each node; ``sets`` are the nodes of the net of each."""
    pairs, nodes, layers = dense_pair_features(x, edge_index, edge_attr, normalize), None, []
    together = torch.zeros(x.size(0), x.size(0), dtype=torch.bool)
    for members in map(torch.tensor, sets):
        together[members[:, None], members] = True
    row, col = together.nonzero().T
    for conv, (of_pairs, of_nodes) in zip(encoder.convs, encoder.norms, strict=True):  # pyright: ignore
        pairs, nodes = dense_layer(conv, pairs, nodes, sets, classes)  # pyright: ignore
        listed = dense_norm(of_pairs, elu(pairs[row, col]), batch[row])
        pairs = torch.zeros_like(pairs).index_put((row, col), listed)
        nodes = dense_norm(of_nodes, elu(nodes), batch)
        layers.append((pairs, nodes))
    read = zip(encoder.readouts, layers if jk == "cat" else layers[-1:], strict=True)
    vectors = [elu(dense_readout(readout, of_pairs, of_nodes, sets, classes)) for readout, (of_pairs, of_nodes) in read]
    return torch.cat(vectors, 1)


def dense_pool(x: Tensor, batch: Tensor, batch_size: int, pool: str) -> Tensor:
    """The mean or sum of the nodes of each graph, which has some."""
    rows = [x[batch == g].sum(0) / (1 if pool == "sum" else (batch == g).sum()) for g in range(batch_size)]
    return torch.stack(rows)


def dense_head(head: Any, x: Tensor) -> Tensor:
    """The perceptron: ReLU between its layers."""
    for depth, lin in enumerate(head.lins):
        x = (x if depth == 0 else x.clamp(min=0)) @ lin.weight.T + lin.bias
    return x
