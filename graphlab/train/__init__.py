"""Configuration, training loop, run directory, report."""
