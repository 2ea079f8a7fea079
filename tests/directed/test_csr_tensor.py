import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from graphlab.directed.csr_tensor import csr_tensor, to_csr

CROW, COL, VALUE = torch.tensor([0, 2, 2]), torch.tensor([0, 2]), torch.tensor([1.0, 2.0])

# In a process of its own: torch says these things once.
QUIET = """
import warnings, torch
from graphlab.directed import A2DUG, ADPA
from graphlab.train.tasks.preparation import sparse_features
warnings.simplefilter("error")
edges = torch.tensor([[0, 1], [1, 2]])
{use}
"""


@pytest.mark.parametrize(
    "use",
    [
        "A2DUG(4, 2, 2, num_nodes=3).precompute(torch.rand(3, 4), edges)[edges[0]]",
        "ADPA(90, 2, 2).precompute(sparse_features(torch.eye(90)), edges)[edges[0]]",
    ],
)
def test_torch_s_notices_about_the_format_reach_nobody(use):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", QUIET.format(use=use)], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_parts_make_the_matrix_and_any_layout_becomes_it():
    expected = torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]])
    made = csr_tensor(CROW, COL, VALUE, (2, 3), check=True)
    assert made.to_dense().equal(expected) and to_csr(made) is made
    for same in (expected, expected.to_sparse()):
        assert to_csr(same).layout == torch.sparse_csr and to_csr(same).to_dense().equal(expected)


@pytest.mark.parametrize(
    "parts",
    [
        (CROW.flip(0), COL, VALUE, (2, 3)),
        (CROW, COL, VALUE, (2, 2)),
        (CROW, COL, VALUE, (3, 3)),
        (CROW, COL, VALUE[:1], (2, 3)),
        (CROW.float(), COL, VALUE, (2, 3)),
        (CROW, COL, VALUE, (2.5, 3)),
    ],
)
def test_parts_that_make_no_matrix_are_refused(parts):
    with pytest.raises(ValueError, match="a CSR matrix cannot be made of these parts"):
        csr_tensor(*parts, check=True)
