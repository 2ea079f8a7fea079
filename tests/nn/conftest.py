"""Set-up that the tests of all layers share."""

import torch

from graphlab import nn

# See tests/conftest.py: the first layer of a class decides how PyG handles sparse matrices in the later ones.
nn.SAGEConv(1, 1)
nn.GINConv(torch.nn.Identity())
