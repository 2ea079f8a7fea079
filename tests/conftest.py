"""Set-up that every test process shares."""

import hypothesis
import torch
from torch_geometric.nn import GINConv, SAGEConv

# How long an example takes says how busy the machine is, not whether the law holds.
hypothesis.settings.register_profile("graphlab", deadline=None)
hypothesis.settings.load_profile("graphlab")

# PyG generates the code of a layer class for its first instance in the process. Were that one made with an aggregator
# of ours, later layers with a mean would refuse sparse matrices, whichever test happened to come first.
SAGEConv(1, 1)
GINConv(torch.nn.Identity())
