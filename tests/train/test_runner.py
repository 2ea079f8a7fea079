import json
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from graphlab.models import Problem, SageConfig, build
from graphlab.train.config import ConfigError, TrainConfig
from graphlab.train.rundir import RunDirectory
from graphlab.train.runner import Training
from graphlab.train.settings import Plan
from graphlab.train.sources import read_plan
from tests.train.small import Graphs, use

MODEL = SageConfig(hidden_channels=8, aggr="sum", dropout=0.3)


@pytest.fixture(autouse=True)
def graphs(monkeypatch):
    use(monkeypatch, Graphs())


def config(tmp_path: Path, **settings) -> TrainConfig:
    known = {"model": MODEL, "runs": 3, "epochs": 6, "batch_size": 8, "save_every": 0.0}
    return TrainConfig(**{**known, "out": tmp_path, "name": "a", **settings})


def one(settings: TrainConfig) -> Plan:
    return Plan(settings, {}, [({}, settings)])


def swept(settings: TrainConfig, *names: str) -> Plan:
    configs = [({"model.aggr": name}, replace(settings, model=replace(MODEL, aggr=name))) for name in names]
    return Plan(settings, {"model.aggr": list(names)}, configs)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def without_seconds(content):
    if isinstance(content, dict):
        return {key: without_seconds(value) for key, value in content.items() if key != "seconds"}
    return [without_seconds(value) for value in content] if isinstance(content, list) else content


def stop_at(monkeypatch, number: int, epoch: int) -> None:
    """Interrupt right after this epoch is logged, before its state can be saved."""
    log = RunDirectory.log

    def interrupted(self, record):
        log(self, record)
        if (record["run"], record["epoch"]) == (number, epoch):
            raise KeyboardInterrupt

    monkeypatch.setattr(RunDirectory, "log", interrupted)


def test_a_run_directory_holds_what_was_asked_and_what_came_of_it(tmp_path):
    path = Training(one(config(tmp_path, runs=2, eval_every=2)), ["graphlab", "train"]).run()
    assert path == tmp_path / "a"
    assert {file.name for file in path.iterdir()} == {
        "config.toml",
        "env.json",
        "metrics.jsonl",
        "result.json",
        "checkpoints",
    }
    result = json.loads((path / "result.json").read_text())
    assert result["seeds"] == [0, 1]
    tests = torch.tensor([run["test"] for run in result["runs"]], dtype=torch.float64)
    assert result["test_mean"] == pytest.approx(tests.mean().item())
    assert result["test_std"] == pytest.approx(tests.std(unbiased=True).item())
    assert (result["model"], result["aggr"], result["metric"]) == ("sage", "sum", "accuracy")
    records = lines(path)
    assert [(record["run"], record["epoch"]) for record in records] == [(r, e) for r in (0, 1) for e in range(1, 7)]
    for run, best in enumerate(result["runs"]):
        record = next(r for r in records if (r["run"], r["epoch"]) == (run, best["best_epoch"]))
        assert (record["valid"], record["test"]) == (best["valid"], best["test"])
        assert best["valid"] == max(r["valid"] for r in records if r["run"] == run and "valid" in r)
    environment = json.loads((path / "env.json").read_text())
    assert environment["threads"] == torch.get_num_threads()
    assert environment["argv"] == ["graphlab", "train"]


def test_the_checkpoint_is_the_network_that_was_judged(tmp_path):
    path = Training(one(config(tmp_path, runs=1)), []).run()
    net = build(MODEL, Problem("graph-classification", 2, 2)).eval()
    net.load_state_dict(safetensors.torch.load_file(path / "checkpoints" / "seed0.safetensors"))
    rows = range(45, 61)
    dataset = Graphs()
    right = [int(net(dataset[i].x, dataset[i].edge_index).argmax()) == int(dataset[i].y) for i in rows]
    result = json.loads((path / "result.json").read_text())
    assert sum(right) / len(right) == pytest.approx(result["test_mean"])


def test_one_run_has_no_deviation(tmp_path):
    path = Training(one(config(tmp_path, runs=1)), []).run()
    assert json.loads((path / "result.json").read_text())["test_std"] is None


def test_the_written_configuration_repeats_the_run(tmp_path):
    first = Training(one(config(tmp_path, name="")), []).run()
    todo = read_plan(first)
    second = Training(replace(todo, config=replace(todo.config, name="again")), []).run()
    results = [json.loads((path / "result.json").read_text()) for path in (first, second)]
    assert without_seconds(results[0]) == without_seconds(results[1])


@pytest.mark.parametrize("save_every", [0.0, 1e9])
@pytest.mark.parametrize(
    ("number", "epoch", "patience"), [(0, 1, 0), (1, 3, 0), (1, 6, 0), (2, 6, 0), (1, 2, 2), (1, 3, 2)]
)
def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path, monkeypatch, number, epoch, patience, save_every):
    settings = config(tmp_path, patience=patience, save_every=save_every)
    whole = Training(one(replace(settings, name="whole")), []).run()
    with monkeypatch.context() as patch:
        stop_at(patch, number, epoch)
        with pytest.raises(KeyboardInterrupt):
            Training(one(settings), []).run()
    path = tmp_path / "a"
    Training(read_plan(path), [], path).run()
    assert without_seconds(lines(path)) == without_seconds(lines(whole))
    results = [json.loads((one / "result.json").read_text()) for one in (path, whole)]
    assert without_seconds(results[0]) == without_seconds(results[1])
    for seed in range(3):
        weights = [(one / "checkpoints" / f"seed{seed}.safetensors").read_bytes() for one in (path, whole)]
        tensors = [safetensors.torch.load(content) for content in weights]
        assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[1])
    assert not (path / "state.pt").exists()


def test_half_a_line_that_a_kill_left_is_cut_off(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 1, 4)
        with pytest.raises(KeyboardInterrupt):
            Training(one(config(tmp_path)), []).run()
    path = tmp_path / "a"
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"run": 1, "seed": 1, "epo')
    Training(read_plan(path), [], path).run()
    assert [(r["run"], r["epoch"]) for r in lines(path)] == [(r, e) for r in range(3) for e in range(1, 7)]


def test_a_finished_training_is_not_done_again(tmp_path):
    path = Training(one(config(tmp_path)), []).run()
    before = {file: file.read_bytes() for file in path.iterdir() if file.is_file()}
    Training(read_plan(path), [], path).run()
    assert before == {file: file.read_bytes() for file in path.iterdir() if file.is_file()}


def test_an_interrupted_sweep_goes_on_with_the_settings_left(tmp_path, monkeypatch):
    settings = config(tmp_path, runs=2)
    whole = Training(swept(replace(settings, name="whole"), "sum", "mean,max", "max"), []).run()
    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "save_result", refuse_second())
        with pytest.raises(KeyboardInterrupt):
            Training(swept(settings, "sum", "mean,max", "max"), []).run()
    path = tmp_path / "a"
    Training(read_plan(path), [], path).run()
    for label in ("aggr=sum", "aggr=mean,max", "aggr=max"):
        results = [json.loads((one / label / "result.json").read_text()) for one in (path, whole)]
        assert without_seconds(results[0]) == without_seconds(results[1])
        assert results[0]["settings"] == {"model.aggr": label.removeprefix("aggr=")}


def refuse_second():
    """Interrupt the second setting before it can write any result."""
    save = RunDirectory.save_result

    def interrupted(self, *args):
        if self.path.name == "aggr=mean,max":
            raise KeyboardInterrupt
        save(self, *args)

    return interrupted


def test_a_setting_of_a_sweep_can_be_repeated_alone(tmp_path):
    path = Training(swept(config(tmp_path, runs=1), "sum", "max"), []).run()
    todo = read_plan(path / "aggr=max")
    alone = Training(replace(todo, config=replace(todo.config, name="alone")), []).run()
    results = [json.loads((one / "result.json").read_text()) for one in (path / "aggr=max", alone)]
    assert results[0]["runs"][0]["test"] == results[1]["runs"][0]["test"]
    assert results[1]["aggr"] == "max"


def test_an_aggregator_that_cannot_be_made_leaves_no_directory(tmp_path):
    with pytest.raises(ConfigError, match="no aggregator is called 'som'"):
        Training(swept(config(tmp_path), "sum", "som"), []).run()
    assert not (tmp_path / "a").exists()


def test_a_directory_is_never_written_over(tmp_path):
    Training(one(config(tmp_path, runs=1)), []).run()
    with pytest.raises(ConfigError, match=r"name: .*a exists; give another --name, or continue it with --resume"):
        Training(one(config(tmp_path, runs=1)), []).run()


def test_other_conditions_than_before_are_told(tmp_path, capsys):
    path = Training(one(config(tmp_path, runs=1)), []).run()
    environment = json.loads((path / "env.json").read_text())
    (path / "env.json").write_text(json.dumps({**environment, "threads": 77}))
    Training(read_plan(path), [], path).run()
    assert "note: threads was 77 and is" in capsys.readouterr().out


def test_a_sweep_prints_a_line_per_run(tmp_path, capsys):
    Training(swept(config(tmp_path, runs=2), "sum", "max"), []).run()
    told = [line.split(": accuracy")[0] for line in capsys.readouterr().out.splitlines()]
    assert told == [f"aggr={name}: run {run}/2, seed {run - 1}" for name in ("sum", "max") for run in (1, 2)]
