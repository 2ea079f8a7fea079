"""Turning pairs round is the transpose of their table."""

import torch
from torch.autograd import gradcheck, gradgradcheck

from graphlab.subgraph import Bags, PairPlan
from graphlab.subgraph.transpose_pairs import transpose_pairs
from tests.subgraph.dense_spen import scattered
from tests.subgraph.graphs import random_graph

PLAN = PairPlan(Bags.from_edge_index(random_graph(8, 0.3, 0, directed=True), 8), (1,))


def test_is_the_transpose_of_a_table():
    x = torch.randn(PLAN.num_pairs, 2).double()
    turned = transpose_pairs(x, PLAN.transposed)
    assert scattered(turned, PLAN).equal(scattered(x, PLAN).transpose(0, 1))
    assert transpose_pairs(turned, PLAN.transposed).equal(x)


def test_derivatives():
    x = torch.randn(PLAN.num_pairs, 2).double().requires_grad_()
    assert gradcheck(transpose_pairs, (x, PLAN.transposed))
    assert gradgradcheck(transpose_pairs, (x, PLAN.transposed))
