import json
import subprocess
import sys
import types
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphlab.cli import _checks as doctor
from graphlab.cli._checks import Finding, check_requirement, examine, usable
from graphlab.cli.doctor import main

REAL_VERSION = metadata.version


@pytest.fixture
def versions(monkeypatch):
    """Lets a test say which version of a package is installed; None for not at all."""
    pretended = {}

    def version(name):
        if name not in pretended:
            return REAL_VERSION(name)
        if pretended[name] is None:
            raise metadata.PackageNotFoundError(name)
        return pretended[name]

    monkeypatch.setattr(metadata, "version", version)
    return pretended


def only(monkeypatch, *names):
    monkeypatch.setattr(doctor, "PROBES", {name: doctor.PROBES[name] for name in names})


def found(topic):
    (finding,) = [finding for finding in examine() if finding.topic == topic]
    return finding


def test_this_installation_is_usable(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "usable"
    for name in ("torch", "torch-geometric", "numpy", "ogb", "torch-scatter"):
        assert f" {name} " in out


def test_versions_are_those_installed(capsys, monkeypatch):
    only(monkeypatch, "python", "packages")
    for name in ("torch", "torch-geometric", "numpy"):
        assert found(name) == Finding(name, "ok", REAL_VERSION(name))


@pytest.mark.parametrize(
    ("name", "installed", "said"),
    [
        ("torch", None, "not installed: pip install 'torch>=2.11'"),
        ("torch", "2.10.1", "is 2.10.1, needs >=2.11: pip install 'torch>=2.11'"),
        ("torch-geometric", "3.0.0", "is 3.0.0, needs <3: pip install 'torch-geometric<3,>=2.7'"),
    ],
)
def test_required_package_missing_or_out_of_range_is_exit_code_1(name, installed, said, versions, monkeypatch, capsys):
    only(monkeypatch, "python", "packages")
    versions[name] = installed
    assert found(name) == Finding(name, "broken", said, required=True)
    assert main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == f"not usable: see {name}"


def test_optional_package_missing_is_fine_and_says_how_to_get_it(versions, monkeypatch, capsys):
    only(monkeypatch, "packages")
    versions |= {"ogb": None, "torch-scatter": None}
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "ogb              not installed (optional): pip install 'graphlab[ogb]'" in out
    assert "pip install --no-build-isolation torch-scatter" in out


def test_optional_package_too_old_is_broken_but_not_needed(versions, monkeypatch):
    only(monkeypatch, "packages")
    versions["ogb"] = "1.3.5"
    assert found("ogb").status == "broken" and "needs >=1.3.6" in found("ogb").detail
    assert usable(examine())


def test_torch_scatter_of_another_torch_is_broken_and_harmless(versions, monkeypatch, tmp_path, capsys):
    only(monkeypatch, "packages")
    versions["torch-scatter"] = "2.1.2"
    (tmp_path / "torch_scatter.py").write_text("import os; os.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert found("torch-scatter").status == "broken"
    assert "exit code -6" in found("torch-scatter").detail
    assert main([]) == 0


@pytest.mark.parametrize("error", [RuntimeError("no\nway"), SystemExit(3), KeyError("x")])
def test_a_probe_that_fails_is_shown_and_stops_no_other(error, monkeypatch, capsys):
    def fails():
        yield Finding("first", "ok", "1")
        raise error

    monkeypatch.setitem(doctor.PROBES, "threads", fails)
    only(monkeypatch, "threads", "compiler")
    topics = {finding.topic: finding for finding in examine()}
    assert topics["first"].status == "ok" and topics["threads"].status == "broken"
    assert topics["threads"].detail.startswith(type(error).__name__)
    assert "compiler" in topics
    assert main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_machine_without_torch_gets_a_diagnosis_and_no_traceback():
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['torch_geometric'] = None\n"
        "from graphlab.cli.doctor import main; sys.exit(main([]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1, run.stderr
    assert run.stderr == ""
    last = run.stdout.splitlines()[-1]
    assert last == "not usable: see torch, torch-geometric"


def test_package_without_metadata_is_exit_code_1(monkeypatch, capsys):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    only(monkeypatch, "python", "packages")
    monkeypatch.setattr(metadata, "requires", absent)
    monkeypatch.setattr(metadata, "metadata", absent)
    assert main([]) == 1
    assert "graphlab is not installed as a package: run pip install -e ." in capsys.readouterr().out


def test_json_says_the_same(monkeypatch, capsys):
    only(monkeypatch, "python", "compiler", "data folder")
    assert main(["--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["usable"] is True
    assert [Finding(**finding) for finding in told["findings"]] == examine()


def test_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("GRAPHLAB_DATA", raising=False)
    assert found("data folder").status == "absent"
    monkeypatch.setenv("GRAPHLAB_DATA", str(tmp_path / "nowhere"))
    assert found("data folder").status == "broken"
    assert "nowhere is no folder" in found("data folder").detail
    monkeypatch.setenv("GRAPHLAB_DATA", str(tmp_path))
    assert found("data folder") == Finding("data folder", "ok", f"GRAPHLAB_DATA={tmp_path}")


def test_compiler_comes_from_cxx_else_from_path(monkeypatch, tmp_path):
    only(monkeypatch, "compiler")
    fake = tmp_path / "g++"
    fake.write_text("#!/bin/sh\necho fake compiler 1.0\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CXX", f"{fake} -O3")
    assert found("compiler").detail == f"{fake}: fake compiler 1.0"
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found("compiler").detail == f"{fake}: fake compiler 1.0"
    monkeypatch.setenv("PATH", "")
    assert found("compiler") == Finding("compiler", "absent", "none of c++, g++, clang++ found")


def test_each_op_has_its_backend_and_cards_are_counted(monkeypatch):
    ops, data = types.ModuleType("ops"), types.ModuleType("data")
    ops.backends = lambda: {"cpu": "compiled kernels (avx2)", "cuda": "pure PyTorch: no CUDA"}
    data.names = lambda: ["a", "b", "c"]
    monkeypatch.setitem(sys.modules, "graphlab.ops", ops)
    monkeypatch.setitem(sys.modules, "graphlab.data", data)
    only(monkeypatch, "ops", "data sets")
    assert examine() == [
        Finding("kernels cpu", "ok", "compiled kernels (avx2)"),
        Finding("kernels cuda", "absent", "pure PyTorch: no CUDA"),
        Finding("data sets", "ok", "3 by name"),
    ]


def test_wrong_words_get_one_line_and_exit_code_2(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--nope"])
    out, err = capsys.readouterr()
    assert (exit_.value.code, out, err.count("\n")) == (2, "", 1)


releases = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))


@given(releases, releases, st.sampled_from(["", "+cpu", "rc1", ".dev0"]))
def test_bounds_compare_releases_as_numbers(installed, bound, suffix):
    version, limit = (".".join(map(str, release)) for release in (installed, bound))
    assert (check_requirement(f">={limit}", version + suffix) == "") == (installed >= bound)
    assert (check_requirement(f"<{limit}", version + suffix) == "") == (installed < bound)
    assert check_requirement("", version + suffix) == ""
