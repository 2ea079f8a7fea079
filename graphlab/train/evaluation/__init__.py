"""Suites: many networks on many data sets by one protocol. Imports no torch; what trains is in ``sweep``."""

from graphlab.train.evaluation import directed
from graphlab.train.evaluation.cell import Cell, Recipe, read_recipes
from graphlab.train.evaluation.results import Results
from graphlab.train.evaluation.scores import Score, format_scores, scores

__all__ = ["Cell", "Recipe", "Results", "Score", "directed", "format_scores", "read_recipes", "scores"]
