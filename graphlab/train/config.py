"""What a training can be told, and the file that says it again.

Imports no torch, so that ``--help`` is fast.
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from graphlab.models.checked import Checked, number
from graphlab.models.config import ModelConfig, SageConfig

Protocol = Literal["default", "gin", "nested"]
Direction = Literal["stored", "undirected", "reversed", "adaptive"]


class ConfigError(ValueError):
    """A setting that cannot be used; its message is one line and names the way out."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Checked):
    """Train one network on one data set, several times from different seeds."""

    data: str = "digits"
    """Data set, by name."""
    split: int = number(0, at_least=0)
    """Which of the data set's splits."""
    protocol: Protocol = "default"
    """How graphs of a TU set are split: gin validates on the tested fold itself, nested on a tenth of the others."""
    root: Path | None = None
    """Folder that data sets are kept in; none: $GRAPHLAB_ROOT, or ~/.cache/graphlab."""
    disk: Path | None = None
    """Store that `graphlab disk prepare` made, to train from instead of a data set."""
    memory_budget: int = number(0, at_least=0)
    """MiB that the process may hold while it trains from a store (0: half of what is free)."""
    features: Literal["stored", "row"] = "stored"
    """Node features as stored, or less their smallest and over their row's sum if above one (tasks on one graph)."""
    edge_features: Literal["stored", "none"] = "stored"
    """Edge features as stored, for networks that take them, or none at all (tasks on many graphs)."""
    direction: Direction = "stored"
    """Edges as stored, both ways, turned round, or as training labels advise (tasks on one graph)."""
    sparse: Literal["auto", "never"] = "auto"
    """Hand features of which less than 5 % are not zero to the network as a sparse matrix, where it takes one."""
    model: ModelConfig = field(default_factory=SageConfig)
    """The network."""
    runs: int = number(1, at_least=1)
    """How many times to train; run i starts from seed + i."""
    seed: int = number(0, at_least=0)
    """Seed of the first run."""
    epochs: int = number(100, at_least=1)
    """Passes over the training examples."""
    patience: int = number(0, at_least=0)
    """Stop after so many evaluations without a better validation metric (0: never)."""
    eval_every: int = number(1, at_least=1)
    """Epochs between evaluations."""
    batch_size: int = number(64, at_least=1)
    """Graphs or sets per step, over all processes (tasks on one graph take it whole)."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """Optimiser."""
    lr: float = number(0.01, above=0)
    """Learning rate."""
    schedule: Literal["constant", "cosine", "step"] = "constant"
    """How the learning rate goes on: cosine lets it fall to zero over the epochs, step multiplies it now and then."""
    step_size: int = number(50, at_least=1)
    """Epochs between the steps of schedule step."""
    gamma: float = number(0.5, above=0, at_most=1)
    """What each step of schedule step multiplies the learning rate by."""
    clip: float = number(0.0, at_least=0)
    """Largest norm of the gradient; a larger one is scaled down to it (0: no limit)."""
    weight_decay: float = number(0.0, at_least=0)
    """Weight decay."""
    device: Literal["cpu", "auto"] = "cpu"
    """Where to train; auto takes a GPU if there is one."""
    threads: int = number(0, at_least=0)
    """CPU threads per process (0: leave torch's choice)."""
    matmul: Literal["highest", "high", "medium"] = "highest"
    """Precision of float32 matrix products, torch's own setting; medium takes other kernels, often faster."""
    out: Path = Path("runs")
    """Folder that run directories are made in."""
    name: str = ""
    """Name of the run directory; empty: data, network and time."""
    save_every: float = number(10.0, at_least=0)
    """Seconds between saved states: at most so much work (and one epoch) is lost when killed."""

    def __post_init__(self) -> None:
        """Check the ranges, and that the name is one folder's name."""
        super().__post_init__()
        if self.name in (".", "..") or "/" in self.name or "\\" in self.name:
            raise ValueError(f"name: expected the name of one folder, got '{self.name}'; out says where it lies")


Sweep = dict[str, list[str]]
"""The values each swept key takes, e.g. ``{"model.aggr": ["sum", "max"]}``."""


def to_toml(config: TrainConfig, sweep: Sweep | None = None) -> str:
    """Write a configuration as TOML that ``graphlab train`` reads back to the same settings."""
    own = {spec.name: getattr(config, spec.name) for spec in fields(config) if spec.name != "model"}
    sections = [_table(own), "[model]", _table({"name": config.model.name, **vars(config.model)})]
    if sweep:
        sections += ["[sweep]", _table({json.dumps(key): list(sweep[key]) for key in sweep})]
    return "\n".join(sections)


def _table(values: dict[str, Any]) -> str:
    lines = [f"{key} = {_value(value)}\n" for key, value in values.items() if value is not None]
    return "".join(lines)


def _value(value: Any) -> str:
    """One TOML value; a truth value, a string or a list of JSON is also one of TOML."""
    if isinstance(value, bool | list | tuple):
        return json.dumps(value)
    return repr(value) if isinstance(value, int | float) else json.dumps(str(value))
