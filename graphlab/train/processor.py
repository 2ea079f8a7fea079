"""How the processor works while a configuration is trained."""

import torch

from graphlab.train.config import TrainConfig


def set_up_processor(config: TrainConfig) -> None:
    """Set the number of threads and the precision of matrix products, for the whole process.

    Args:
        config: the settings.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.set_float32_matmul_precision(config.matmul)
