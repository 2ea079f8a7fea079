"""Set-up that every test process shares."""

import torch
from torch_geometric.nn import GINConv, SAGEConv

# PyG generates the code of a layer class for its first instance in the process. Were that one made with an aggregator
# of ours, later layers with a mean would refuse sparse matrices, whichever test happened to come first.
SAGEConv(1, 1)
GINConv(torch.nn.Identity())
