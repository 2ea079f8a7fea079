"""Suites: many networks on many data sets by one protocol. Imports no torch; what trains is in ``sweep``."""

from graphlab.train.evaluation.cell import Cell, Recipe, read_recipes
from graphlab.train.evaluation.fold_scores import FoldScore, fold_scores, format_fold_scores
from graphlab.train.evaluation.results import Results
from graphlab.train.evaluation.scores import Score, format_scores, scores
from graphlab.train.evaluation.suite import Suite
from graphlab.train.evaluation.suites import DIRECTED, GRAPHS

__all__ = [
    "DIRECTED",
    "GRAPHS",
    "Cell",
    "FoldScore",
    "Recipe",
    "Results",
    "Score",
    "Suite",
    "fold_scores",
    "format_fold_scores",
    "format_scores",
    "read_recipes",
    "scores",
]
