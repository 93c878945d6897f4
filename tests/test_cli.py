"""The command line with a stranger's hands: one clear line, the right exit code, JSON alone on standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgenas import cli
from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.runs.journal import Journal
from surgenas.spaces.macro import Macro
from surgenas.spaces.mobile import Mobile
from surgenas.testing import ToyDevice

TOY = ["--device", "surgenas.testing:toy_device", "--resolution", "16", "--batch", "256", "--samples", "16"]


def call(monkeypatch, capsys, *args) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a command."""
    monkeypatch.setattr(sys, "argv", ["surgenas", *map(str, args)])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield lambda *args: call(monkeypatch, capsys, *args)
    for number, handler in handlers.items():
        signal.signal(number, handler)


TABLE = ["--table", "file", "--validation", "a", "--test", "b"]
BAD = [
    (["search", "--data", "nowhere"], 4, "no such folder"),
    (["search", "--data", "one"], 4, "at least 2"),
    (["search", "--data", "hollow"], 4, "is empty"),
    (["search", "--data", "broken"], 4, "cannot be read"),
    (["search", "--device", "toaster"], 2, "onnxruntime-cpu"),
    (["search", "--latency", "0ms"], 2, "above zero"),
    (["search", "--latency", "-4ms"], 2, "above zero"),
    (["search", "--latency", "4"], 2, "number and a unit"),
    (["search", "--latency", "4km"], 2, "number and a unit"),
    (["search", "--latency", "0.00001ms", *TOY], 5, "nearest network"),
    (["search", "--time-limit", "soon"], 2, "30m"),
    (["search", "--layout", "round", *TOY], 2, "densenas"),
    (["search", "--method", "magic", *TOY], 2, "surgenas"),
    (["search", "--seed", "-1"], 2, "seed"),
    (["search", "--accelerator", "abacus", *TOY], 2, "auto, cpu, cuda"),
    (["search", "--set", "eta"], 2, "name=value"),
    (["search", "--set", "sampler=magic", *TOY], 2, "ods"),
    (["search", "--out", "file/run", *TOY], 3, "choose another --out"),
    (["resume", "nowhere"], 2, "not a run folder"),
    (["resume", "old"], 2, "surgenas.run/0"),
    (["predict", "nowhere"], 2, "not a run folder"),
    (["export", "nowhere"], 1, "no model.onnx"),
    (["measure", "nowhere"], 2, "architecture.json"),
    (["measure", "damaged.onnx"], 4, "not a usable ONNX model"),
    (["measure", "thousand.json", "--device", "toaster"], 2, "onnxruntime-cpu"),
    (["measure", "other.json"], 2, "unknown space"),
    (["scale", "thousand.json", "--knob", "colour"], 2, "width, resolution, depth"),
    (["scale", "thousand.json", "--most", "0.5"], 2, "above 1"),
    (["scale", "thousand.json", "--slack", "7"], 2, "for example 0.03"),
    (["describe", "--arch", "damaged.json"], 2, "not JSON"),
    (["describe", "--uniform", "k9e9"], 2, "unknown option"),
    (["describe"], 2, "--uniform"),
    (["train", "--arch", "thousand.json"], 2, "1000 classes"),
    (["search", "--nope"], 2, "--nope"),
    (["frobnicate"], 2, "frobnicate"),
    (["compare", "nowhere", "old"], 2, "not a run folder"),
    (["bench", "ri", "--methods", "magic"], 2, "surgenas"),
    (["bench", "ri", "--data", "nowhere", "--out", "ri", *TOY[:2]], 4, "no such folder"),
    (["bench", "search", "--table", "none.csv", "--validation", "a", "--test", "b"], 2, "No such file"),
    (["bench", "search", "--table", "file", "--validation", "a", "--test", "b"], 2, "no column 'arch'"),
    (["bench", "search", *TABLE, "--budget", "0"], 2, "--budget 0"),
    (["bench", "search", *TABLE, "--fidelity", "x"], 2, "COLUMN=COST"),
    (["bench", "search", *TABLE, "--limit", "4"], 2, "--limit '4'"),
    (["bench", "search", *TABLE, "--space", "round"], 2, "nasbench201"),
    (["bench", "search"], 2, "--table"),
]


@pytest.fixture
def mess(tmp_path, photos):
    """Everything a user can hand us by mistake."""
    (tmp_path / "one" / "cat").mkdir(parents=True)
    for name in ("full", "hollow"):
        (tmp_path / "hollow" / name).mkdir(parents=True)
    (photos / "dark" / "0.png").rename(tmp_path / "hollow" / "full" / "0.png")
    for name in ("a", "b"):
        (tmp_path / "broken" / name).mkdir(parents=True)
        (tmp_path / "broken" / name / "x.jpg").write_bytes(b"nothing")
    (tmp_path / "file").write_text("")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.json").write_text('{"format": "surgenas.run/0"}')
    other = {"format": "surgenas.architecture/1", "space": {"name": "elsewhere"}, "genes": ["a"]}
    (tmp_path / "other.json").write_text(json.dumps(other))
    (tmp_path / "damaged.json").write_text("{")
    (tmp_path / "damaged.onnx").write_text("{")
    space = Mobile(layout="small", resolution=16)
    (tmp_path / "thousand.json").write_text(moves.uniform_architecture(space, "skip").to_json())


@pytest.mark.usefixtures("mess")
@pytest.mark.parametrize(
    ("args", "code", "named"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else None
)
def test_a_mistake_ends_in_one_line_and_its_code(run, args, code, named):
    got, out, err = run(*args)
    last = err.strip().splitlines()[-1]
    assert (got, named in last) == (code, True), err
    assert last.startswith("surgenas: ")
    assert "Traceback" not in err
    assert out == ""


def test_describe_devices_spaces_methods_speak_json(run):
    code, out, _ = run("describe", "--uniform", "k7e6", "--json")
    assert code == 0
    assert json.loads(out)["macs"] / 1e6 == pytest.approx(607, rel=0.01)
    for command, key in (
        ("devices", "onnxruntime-cpu"),
        ("methods", "single-path"),
        ("spaces", "mobile --layout small"),
    ):
        code, out, _ = run(command, "--json")
        assert code == 0
        assert key in json.loads(out)
    code, out, _ = run("describe", "--uniform", "skip", "--layout", "densenas")
    assert "61.9 MMACs, 4.72 M parameters" in out


def test_bench_search_on_a_table(run, tmp_path):
    rng = np.random.default_rng(0)
    space = Macro()
    rows = ["arch,val,test,ms"]
    for arch in moves.enumerate_all(space):
        digits = moves.indices(space, arch)
        score = 50 + sum(moves.indices(space, space.canonical(arch))[1:5]) + 1e-3 * rng.random()
        rows.append(f"{''.join(map(str, digits))},{score},{score + 1},{1 + sum(digits)}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    ask = ["bench", "search", "--space", "macro", "--table", "table.csv", "--validation", "val", "--test", "test"]
    ask += ["--latency-table", "table.csv", "--latency", "ms", "--limit", "9ms", "--methods", "regularized,nsga2"]
    ask += ["--budget", "20", "--seeds", "2"]
    code, out, err = run(*ask)
    assert code == 0, err
    assert all(name in out for name in ("random", "regularized", "nsga2", "within 9 ms (ms)", "bench.html"))
    code, out, _ = run(*ask, "--json")
    assert code == 0
    assert [row["method"] for row in json.loads(out)["methods"]] == ["random", "regularized", "nsga2"]


def test_methods_say_what_can_be_set(run):
    _, out, _ = run("methods")
    assert "search_lambda" in out
    assert "bisection, bayes" in out
    _, out, _ = run("methods", "--json")
    assert json.loads(out)["surgenas"]["settings"]["sampler"] == "ods"


def test_estimate_adds_a_table_up(run, tmp_path):
    row = {"k3e3": 1.0, "k3e6": 2.0, "k5e3": 1.5, "k5e6": 3.0}
    (tmp_path / "table.json").write_text(json.dumps({"fixed": 10.0, **{str(i): row for i in range(1, 21)}}))
    code, out, err = run("estimate", "--table", str(tmp_path / "table.json"), "--arch", "spnasnet", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["exact_ms"] == pytest.approx(10 + 9 * 1.0 + 7 * 3.0 + 3 * 1.5)
    assert found["paper_ms"] == pytest.approx(10 + 9 * 1.5 * 2 / 3 + 7 * 3.0 + 3 * 1.5)
    code, _, err = run("estimate", "--table", str(tmp_path / "none.json"), "--arch", "k3e3")
    assert code != 0
    assert "No such file" in err
    code, _, err = run("estimate", "--table", str(tmp_path / "table.json"), "--arch", "k9e9")
    assert code == 2
    assert "20 choices" in err


def test_profile_then_predict(run):
    profile = "profile", *TOY[:2], "--resolution", "16", "--out", "p", "--json", "--samples"
    code, out, err = run(*profile, "16")
    assert code == 0, err
    assert json.loads(out)["samples"] == 16
    assert run(*profile, "16")[0] == 0, "the same again goes on"
    assert run(*profile, "17")[0] == 2
    code, out, _ = run("predict", "p")
    assert code == 0
    assert all(name in out for name in ("gnn", "lookup", "flops", "noise ceiling", "chosen"))


def test_train_and_measure_an_architecture_file(run, tmp_path):
    space = Mobile(layout="small", resolution=16, classes=10)
    (tmp_path / "arch.json").write_text(moves.uniform_architecture(space, "skip").to_json())
    code, out, err = run(
        "train", "--arch", "arch.json", "--epochs", "1", "--batch", "256", "--accelerator", "cpu", "--json"
    )
    assert code == 0, err
    assert 0 < json.loads(out)["accuracy"]["test"] <= 1
    assert (tmp_path / "trained" / "model.safetensors").exists()
    code, _, err = run("train", "--arch", "arch.json", "--epochs", "1", "--batch", "256", "--seed", "1")
    assert (code, "another training" in err) == (2, True), "never the weights of another training"
    code, _, err = run("train", "--arch", "arch.json", "--epochs", "0")
    assert (code, "--epochs 0" in err) == (2, True)
    code, out, err = run("measure", "arch.json", "--device", "surgenas.testing:toy_device")
    assert code == 0, err
    assert "arch.json" in out


def test_scale_finds_the_zone_of_a_device_that_charges_by_parameters_only(run, tmp_path):
    """The toy device takes no notice of resolution, and charges for every channel."""
    space = Mobile(layout="small", resolution=16, classes=10)
    (tmp_path / "arch.json").write_text(moves.uniform_architecture(space, "k3e3").to_json())
    toy = ["--device", "surgenas.testing:toy_device"]
    code, out, err = run("scale", "arch.json", *toy, "--knob", "resolution", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert [p["scale"] for p in found["points"]] == [1.0, 1.5, 2.0]
    assert found["picked"]["scale"] == 2.0
    chosen = Architecture.from_dict(json.loads((tmp_path / "scaled" / "architecture.json").read_text()))
    assert dict(chosen.space.settings)["resolution"] == 32
    code, out, err = run("scale", "arch.json", *toy, "--out", "wide")
    assert code == 0, err
    assert "the Comfort Zone is empty here" in out
    assert "every step of width costs" in (tmp_path / "wide" / "comfort_zone.html").read_text()
    assert not (tmp_path / "wide" / "architecture.json").exists()


def noisy(monkeypatch):
    measured = ToyDevice.measured
    monkeypatch.setattr(ToyDevice, "measured", lambda *args: replace(measured(*args), grade="D"))


def test_a_machine_too_busy_has_neither_a_zone_nor_an_empty_one(run, tmp_path, monkeypatch):
    space = Mobile(layout="small", resolution=16, classes=10)
    (tmp_path / "arch.json").write_text(moves.uniform_architecture(space, "k3e3").to_json())
    noisy(monkeypatch)
    code, out, err = run("scale", "arch.json", "--device", "surgenas.testing:toy_device", "--knob", "resolution")
    assert code == 0, err
    assert "cannot be said" in out
    assert "inside" not in out


def test_a_latency_that_is_too_noisy_to_say_is_never_silent(run, tmp_path, monkeypatch):
    noisy(monkeypatch)
    (tmp_path / "arch.json").write_text(
        moves.uniform_architecture(Mobile(layout="small", resolution=16, classes=10), "skip").to_json()
    )
    args = ["measure", "arch.json", "--device", "surgenas.testing:toy_device"]
    code, out, _ = run(*args)
    assert code == 0
    assert "too noisy to say (grade D): arch.json, MobileNetV2" in out
    code, out, err = run(*args, "--strict")
    assert code == 6
    assert "when the machine is idle" in err


def test_scale_trains_before_and_after(run, tmp_path):
    space = Mobile(layout="small", resolution=16, classes=10)
    (tmp_path / "arch.json").write_text(moves.uniform_architecture(space, "skip").to_json())
    args = ["--device", "surgenas.testing:toy_device", "--knob", "resolution", "--most", "1.5"]
    code, out, err = run("scale", "arch.json", *args, "--data", "digits", "--epochs", "1", "--json")
    assert code == 0, err
    assert {0 < value <= 1 for value in json.loads(out)["accuracy"].values()} == {True}


def command(*args: str) -> list[str]:
    return [sys.executable, "-c", "from surgenas.cli import main; main()", *args]


def wait_for(path: Path, event: str) -> None:
    for _ in range(600):
        if path.exists() and Journal(path).all(event):
            return
        time.sleep(0.1)
    pytest.fail(f"no {event!r} in {path}")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_from_outside_it_says_how_to_go_on(tmp_path, number, code):
    args = ["search", *TOY, "--epochs", "60", "--out", str(tmp_path / "run")]

    def default() -> None:  # a shell that starts us in the background has told its children to ignore Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)

    pipe = subprocess.PIPE
    process = subprocess.Popen(command(*args), stderr=pipe, stdout=pipe, text=True, preexec_fn=default)
    wait_for(tmp_path / "run" / "journal.jsonl", "epoch")
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "surgenas resume" in err.strip().splitlines()[-1]
    assert "Traceback" not in err
    assert out == ""


def test_help_and_import_load_nothing_heavy():
    heavy = {"torch", "timm", "onnx", "plotly", "sklearn"}
    script = f"import sys, surgenas, surgenas.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_signal_at_the_interpreters_exit_ends_it_without_a_traceback():
    code = (
        "import atexit, os, typer; from surgenas.cli.ending import end_well; app = typer.Typer(); "
        "app.command()(lambda: None); atexit.register(lambda: os.kill(os.getpid(), 15)); end_well(app)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
