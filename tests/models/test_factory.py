import subprocess
import sys

import pytest

from graphlab.models import MODELS, MpnnConfig, Problem, SetConfig, build


def test_every_network_knows_its_name():
    assert [cls().name for cls in MODELS.values()] == list(MODELS)


@pytest.mark.parametrize("config", [SetConfig(aggr="sum"), MpnnConfig()], ids=lambda one: one.name)
def test_a_network_refuses_a_task_it_does_not_learn(config):
    with pytest.raises(ValueError, match=r"does not learn the task 'node-.*expected sage or gin or"):
        build(config, Problem("node-classification", 4, 2))


def test_the_configurations_load_no_torch():
    code = "import sys, graphlab.models, graphlab.train.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
