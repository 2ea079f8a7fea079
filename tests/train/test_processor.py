import pytest
import torch

from graphlab.train.config import TrainConfig
from graphlab.train.processor import set_up_processor


@pytest.fixture(autouse=True)
def _leave_as_found():
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)


def test_threads_and_precision_are_those_of_the_settings():
    set_up_processor(TrainConfig(threads=1, matmul="medium"))
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (1, "medium")


def test_no_threads_leave_what_torch_chose():
    torch.set_num_threads(1)
    set_up_processor(TrainConfig())
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (1, "highest")
