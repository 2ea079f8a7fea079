"""The pairs of nodes that share a bag."""

import torch


def bag_pairs(node, node_ptr, num_nodes):
    """Number the pairs."""
    m = node_ptr.diff()
    n = num_nodes
    B = m.numel()
    bag = torch.arange(B).repeat_interleave(m * m)
    ptr2 = torch.cat([m.new_zeros(1), (m * m).cumsum(0)])
    local = torch.arange(int(ptr2[-1])) - ptr2[:-1][bag]
    p = local // m[bag] + node_ptr[:-1][bag]
    q = local % m[bag] + node_ptr[:-1][bag]
    i, j = node[p], node[q]
    key = torch.where(i == j, i - n, i * n + j)  # diagonal first
    diag = torch.arange(n) - n
    uniq, inv = torch.cat([diag, key]).unique(return_inverse=True)
    pair = inv[n:]
    d = uniq < 0
    row = torch.where(d, uniq + n, uniq // max(n, 1))
    col = torch.where(d, uniq + n, uniq % max(n, 1))
    tkey = torch.where(row == col, row - n, col * n + row)
    return row, col, pair, torch.searchsorted(uniq, tkey)
