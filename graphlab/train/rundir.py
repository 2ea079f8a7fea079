"""The run directory: what was asked, on what machine, what came of it, and how to go on.

``config.toml`` repeats the run; ``env.json`` names versions and machine; ``metrics.jsonl`` has a
line per evaluated or trained epoch; ``result.json`` the finished runs;
``checkpoints/seed0.safetensors`` the best weights of a run; ``state.pt`` the run under way. All but
``metrics.jsonl`` are replaced as a whole, so that a kill at any moment leaves the old file or the
new one; lines of ``metrics.jsonl`` past the saved state are cut off before going on.
"""

import io
import json
import statistics
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from graphlab.disk.files import write_atomically
from graphlab.train.config import ConfigError, TrainConfig, to_toml


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a JSON file as a whole."""
    write_atomically(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


class RunDirectory:
    """The files of one setting: several runs of one configuration.

    Args:
        path: the folder; made if it is not there.
        config: the configuration of these runs.
        setting: what tells this setting from its neighbours in a sweep.
    """

    def __init__(self, path: Path, config: TrainConfig, setting: dict[str, str]) -> None:
        self.path, self.config, self.setting = path, config, setting
        path.mkdir(parents=True, exist_ok=True)

    def begin(self, environment: dict[str, Any]) -> None:
        """Write down what is about to run, and where; a directory that has it already keeps it."""
        if not (self.path / "config.toml").exists():
            write_json(self.path / "env.json", environment)
            write_atomically(self.path / "config.toml", to_toml(self.config).encode())

    def log(self, record: dict[str, Any]) -> None:
        """Append a line to ``metrics.jsonl``."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def forget_after(self, number: int, epoch: int) -> None:
        """Cut ``metrics.jsonl`` back to what run ``number`` had logged by ``epoch``."""
        path = self.path / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        kept = [line for line in lines if _is_before(line, number, epoch)]
        write_atomically(path, "".join(f"{line}\n" for line in kept).encode())

    def save_state(self, state: dict[str, Any]) -> None:
        """Save the run under way."""
        content = io.BytesIO()
        torch.save(state, content)
        write_atomically(self.path / "state.pt", content.getvalue())

    def load_state(self, number: int, device: torch.device) -> dict[str, Any] | None:
        """The saved state of run ``number``, if it is the one that was under way."""
        path = self.path / "state.pt"
        if not path.exists():
            return None
        state = torch.load(path, map_location=device, weights_only=True)
        return state if state["number"] == number else None

    def finished(self) -> list[dict[str, Any]]:
        """The results of the runs that are over."""
        return self.result()["runs"] if (self.path / "result.json").exists() else []

    def result(self) -> dict[str, Any]:
        """The content of ``result.json``."""
        return json.loads((self.path / "result.json").read_text(encoding="utf-8"))

    def save_result(self, runs: list[dict[str, Any]], metric: str, num_params: int) -> None:
        """Write ``result.json`` from the finished runs."""
        model = self.config.model
        content = {
            "data": self.config.data,
            "model": model.name,
            "aggr": getattr(model, "aggr", None),
            "metric": metric,
            **_summary("test", runs),
            **_summary("valid", runs),
            "num_params": num_params,
            "seeds": [run["seed"] for run in runs],
            "runs": runs,
            "settings": self.setting,
        }
        write_json(self.path / "result.json", content)

    def save_weights(self, seed: int, weights: dict[str, torch.Tensor]) -> None:
        """Write a run's best weights, with the configuration that rebuilds their network."""
        tensors = {name: one.cpu().contiguous() for name, one in weights.items()}
        metadata = {"config": to_toml(self.config)}
        content = safetensors.torch.save(tensors, metadata)
        write_atomically(self.path / "checkpoints" / f"seed{seed}.safetensors", content)

    def end(self) -> None:
        """Drop the state of the run under way: there is none any more."""
        (self.path / "state.pt").unlink(missing_ok=True)


def _is_before(line: str, number: int, epoch: int) -> bool:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:  # the line that was being written when the process was killed
        return False
    return (record["run"], record["epoch"]) <= (number, epoch)


def _summary(split: str, runs: list[dict[str, Any]]) -> dict[str, float | None]:
    """Mean and unbiased standard deviation; one run has no deviation."""
    values = [run[split] for run in runs]
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {f"{split}_mean": statistics.fmean(values), f"{split}_std": deviation}


def new_directory(parent: Path, name: str) -> Path:
    """Make the directory of a new training.

    Raises:
        ConfigError: if it is there already, or cannot be made.
    """
    path = parent / name
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise ConfigError(f"name: {path} exists; give another --name, or continue it with --resume {path}") from None
    except OSError as error:
        raise ConfigError(f"out: {path} cannot be made: {error.strerror}") from None
    return path
