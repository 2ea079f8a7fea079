"""Products inside bags."""

import torch


def bag_product(a, b, pair, node_ptr, weight, transpose_a=False, transpose_b=False):
    """Multiply."""
    m = node_ptr.diff()
    start = torch.cat([m.new_zeros(1), (m * m).cumsum(0)])[:-1]
    out = torch.zeros_like(a)
    for s in m.unique().tolist():
        which = (m == s).nonzero().view(-1)
        idx = pair[start[which][:, None] + torch.arange(s * s)]
        A = a[idx].view(-1, s, s, a.size(1)).permute(0, 3, 1, 2)
        Bm = b[idx].view(-1, s, s, a.size(1)).permute(0, 3, 1, 2)
        y = (A @ Bm).permute(0, 2, 3, 1) * weight[which].to(a.dtype)[:, None, None, None]
        out = out.index_add(0, idx.view(-1), y.reshape(-1, a.size(1)))
    return out
