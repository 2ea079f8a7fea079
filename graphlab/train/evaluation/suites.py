"""The suites there are. Imports no torch."""

from graphlab.train.evaluation.suite import Suite

DIRECTED = Suite("directed", "networks for directed and heterophilous graphs, on the fixed splits of each data set")
GRAPHS = Suite(
    "graphs",
    "networks that tell whole graphs apart, on the ten folds of each TU set by two protocols",
    ("gin", "nested"),
)
