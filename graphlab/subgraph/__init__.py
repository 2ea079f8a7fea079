"""Networks on the subgraphs around nodes, equivariant to any order of the nodes."""

from graphlab.subgraph.dss_bags import DSSBags
from graphlab.subgraph.dss_conv import DSSConv
from graphlab.subgraph.dss_gnn import DSSGNN

__all__ = ["DSSGNN", "DSSBags", "DSSConv"]
