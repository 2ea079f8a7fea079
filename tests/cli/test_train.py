import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from graphlab.cli import commands, main, summary
from tests.train.small import Graphs, use

ROOT = Path(__file__).parents[2]
QUICK = ["--epochs", "2", "--batch-size", "16", "--model.hidden-channels", "8", "--model.aggr", "sum"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def started(*words: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, *words], env=environment, text=True, stdout=-1, stderr=-1)


def result(path: Path) -> dict:
    content = json.loads((path / "result.json").read_text())
    for run in content["runs"]:
        del run["seconds"]
    return content


def test_the_overview_lists_every_command(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert "train" in commands()
    for command in commands():
        assert f"{command} " in shown
        assert summary(command) in shown
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == shown
    assert main(["--version"]) == 0


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert main(["trian"]) == 2
    assert capsys.readouterr().err == "graphlab: no command is called 'trian'; perhaps you meant train\n"
    assert main(["xyz"]) == 2
    assert "there are " in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--help"], ["train", "--help"], ["train", "--lr", "x"]])
def test_what_trains_nothing_imports_no_torch_and_is_quick(words):
    code = f"import sys, graphlab.cli as c; c.main({words}); sys.exit(10 + ('torch' in sys.modules))"
    times = []
    for _ in range(3):  # the best of three, in seconds of processor time: other jobs share this machine
        begin = processor_seconds()
        with started("-c", code) as process:
            assert process.wait() == 10, process.communicate()
        times.append(processor_seconds() - begin)
    assert min(times) < 0.5


def processor_seconds() -> float:
    """What the processes that ended took."""
    took = os.times()
    return took.children_user + took.children_system


def test_help_shows_the_options_of_the_network_chosen(capsys):
    assert main(["train", "--model", "mlp", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--model.readout" in shown
    assert "--model.aggr" not in shown
    assert main(["train", "--help"]) == 0
    assert "--model.aggr" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--modle", "gin"], "--modle: unknown option; perhaps you meant --model"),
        (["--model.agr", "sum"], "--model.agr: unknown option; perhaps you meant --model.aggr"),
        (["--lr", "fast"], "--lr: expected a number, got 'fast'"),
        (["--runs", "0"], "--runs: expected a number >= 1, got 0"),
        (["--runs"], "--runs: expected a value after it"),
        (["gone.toml"], "gone.toml: cannot be read: No such file or directory"),
        (["--data", "digitz"], "digits"),
        (["--model", "set"], "'set' does not learn the task 'node-classification'; expected sage or"),
        (["--model.aggr", "som"], "no aggregator is called 'som'; there are "),
        (["--sweep", "model.aggr=sum,som"], "no aggregator is called 'som'"),
        (["--resume", "."], r"--resume: . holds no config.toml"),
        (["--resume", ".", "--lr", "1"], "--resume: goes on with the run's own settings"),
        (["--out", "/dev/null"], "out: /dev/null/.* cannot be made"),
    ],
)
def test_a_mistake_is_answered_in_one_line(words, message, capsys):
    assert main(["train", *words]) == 2
    captured = capsys.readouterr()
    assert re.match(rf"graphlab train: .*{message}", captured.err)
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert list(Path().iterdir()) == []


def test_flags_alone_train_and_print_the_table(capsys, monkeypatch):
    use(monkeypatch, Graphs())
    assert main(["train", *QUICK, "--runs", "2", "--name", "a"]) == 0
    shown = capsys.readouterr().out
    assert "run 2/2, seed 1: accuracy valid 0." in shown
    assert re.search(r"test accuracy \(%\)", shown)
    assert Path("runs/a/report.html").exists()
    assert result(Path("runs/a"))["seeds"] == [0, 1]


def test_a_file_trains_and_flags_win_over_it(capsys, monkeypatch):
    use(monkeypatch, Graphs())
    Path("some.toml").write_text(
        'epochs = 2\nruns = 2\nname = "a"\n[model]\nhidden_channels = 8\n[sweep]\n"model.aggr" = ["sum", "max"]\n'
    )
    assert main(["train", "some.toml", "--runs", "1"]) == 0
    for name in ("sum", "max"):
        assert result(Path(f"runs/a/aggr={name}"))["seeds"] == [0]
        assert f"aggr={name}" in capsys.readouterr().out or name == "max"
    assert main(["train", "runs/a/config.toml", "--name", "b"]) == 0
    for name in ("sum", "max"):
        assert result(Path(f"runs/a/aggr={name}")) == result(Path(f"runs/b/aggr={name}"))


def test_divergence_is_told_in_one_line(capsys, monkeypatch):
    use(monkeypatch, Graphs())
    code = main(["train", *QUICK, "--epochs", "50", "--optimizer", "sgd", "--lr", "1e30", "--name", "a"])
    assert code == 1
    error = capsys.readouterr().err
    assert re.match(r"graphlab train: .* not finite in epoch \d+ of run 1 \(seed 0\); try a smaller lr", error)
    assert error.count("\n") == 1
    assert Path("runs/a/config.toml").exists()


def test_a_full_disk_is_told_in_one_line_with_the_way_on(capsys, monkeypatch):
    from graphlab.train.rundir import RunDirectory

    def full(*args):
        raise OSError(28, "No space left on device")

    use(monkeypatch, Graphs())
    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "save_weights", full)
        assert main(["train", *QUICK, "--name", "a"]) == 1
    assert "No space left on device; continue with: graphlab train --resume runs/a" in capsys.readouterr().err
    assert main(["train", "--resume", "runs/a"]) == 0
    assert result(Path("runs/a"))["seeds"] == [0]


LONG = ["train", "--data", "digits", "--epochs", "20", "--runs", "2", "--model.aggr", "sum", "--save-every", "0"]
# Sends itself a signal in the middle of its second run: another process would have to be quick enough.
INTERRUPTED = """
import os, signal, sys
from graphlab.cli import main
from graphlab.train.rundir import RunDirectory

# A shell that starts its jobs in the background has them ignore the signal, their children too.
signal.signal(signal.SIGINT, signal.default_int_handler)
log = RunDirectory.log

def log_and_stop(self, record):
    log(self, record)
    if (record["run"], record["epoch"]) == (1, 9):
        os.kill(os.getpid(), int(sys.argv[1]))

RunDirectory.log = log_and_stop
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_process_goes_on_to_the_results_it_would_have_had(how):
    with started("-m", "graphlab", *LONG, "--name", "whole") as process:
        assert process.wait() == 0
    with started("-c", INTERRUPTED, str(int(how)), *LONG, "--name", "a") as process:
        _, errors = process.communicate()
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert errors.endswith("graphlab train: interrupted; continue with: graphlab train --resume runs/a\n")
        assert "Traceback" not in errors
    assert len(result(Path("runs/a"))["runs"]) == 1
    with started("-m", "graphlab", "train", "--resume", "runs/a") as process:
        assert process.wait() == 0
    assert result(Path("runs/a")) == result(Path("runs/whole"))


@pytest.mark.slow
@pytest.mark.parametrize("data", ["karate", "digits"])
def test_two_processes_train_what_one_does(data):
    words = ["train", "--data", data, "--epochs", "5", "--model.dropout", "0", "--model.aggr", "sum"]
    with started("-m", "graphlab", *words, "--name", "one") as process:
        assert process.wait() == 0
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "graphlab"]
    with started(*torchrun, *words, "--name", "two") as process:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
    assert output.count("run 1/1") == 1
    losses = [
        [json.loads(line)["loss"] for line in Path(f"runs/{name}/metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert json.loads(Path("runs/two/env.json").read_text())["processes"] == 2
