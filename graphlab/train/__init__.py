"""Configuration, loop, distributed training, run directory, report."""
