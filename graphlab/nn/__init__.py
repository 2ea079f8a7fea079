"""Drop-in layers: PyG's classes, parameters and results, computed by the fused ops."""

from graphlab.nn.gatv2_conv import GATv2Conv
from graphlab.nn.gin_conv import GINConv
from graphlab.nn.pna_conv import PNAConv
from graphlab.nn.sage_conv import SAGEConv
from graphlab.nn.transformer_conv import TransformerConv

__all__ = ["GATv2Conv", "GINConv", "PNAConv", "SAGEConv", "TransformerConv"]
