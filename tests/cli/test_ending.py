"""How a command ends: one line that says what to do, the right exit code, also when a signal comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from surgenas.core import moves
from surgenas.runs.journal import Journal
from surgenas.spaces.mobile import Mobile
from tests.runs.written import pictures

TOY = ["--device", "surgenas.testing:toy_device", "--resolution", "16", "--batch", "256", "--samples", "12"]
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
    (["search", "--space", "round", *TOY], 2, "nasbench201"),
    (["search", "--seed", "-1"], 2, "seed"),
    (["search", "--random", "101"], 2, "random"),
    (["search", "--processes", "0"], 2, "processes"),
    (["search", "--accelerator", "abacus", *TOY], 2, "auto, cpu, cuda"),
    (["search", "--precision", "half", *TOY], 2, "'half' is not one of 'auto', 'fp32', 'bf16'"),
    (
        ["search", "--space", "four.json", "--method", "random", *TOY],
        2,
        "has 4 networks, and a search learns latency from 12 or more",
    ),
    (["search", "--space", "compound", *TOY], 2, "share no weights"),
    (["search", "--set", "eta"], 2, "name=value"),
    (["search", "--set", "sampler=magic", *TOY], 2, "ods"),
    (["search", "--set", "trials=0", "--method", "random", *TOY], 2, "--set trials=0"),
    (["search", "--out", "file/run", *TOY], 3, "choose another --out"),
    (["search", "--devices", "2"], 2, "--devices"),
    (["search", "--uniform", "2"], 2, "--uniform"),
    (["resume", "nowhere"], 2, "not a run folder"),
    (["resume", "old"], 2, "surgenas.run/0"),
    (["report", "nowhere"], 2, "not a run folder"),
    (["predict", "nowhere"], 2, "not a run folder"),
    (["predict"], 2, "--table FILE"),
    (["export", "nowhere"], 2, "nowhere is not a run folder"),
    (["quantize", "nowhere", "--latency", "1ms"], 2, "nowhere is not a run folder"),
    (["quantize", "nowhere", "--latency", "4"], 2, "number and a unit"),
    (["measure", "nowhere"], 2, "architecture.json"),
    (["measure", "damaged.onnx"], 4, "not a usable ONNX model"),
    (["measure", "thousand.json", "--device", "toaster"], 2, "onnxruntime-cpu"),
    (["measure", "other.json"], 2, "unknown space"),
    (["scale", "thousand.json", "--knob", "colour"], 2, "width, resolution, depth"),
    (["scale", "thousand.json", "--most", "0.5"], 2, "above 1"),
    (["scale", "thousand.json", "--slack", "7"], 2, "for example 0.03"),
    (["operators", "--keep", "99"], 2, "--keep 99"),
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
    for name in ("0.png", "1.png"):
        (photos / "dark" / name).rename(tmp_path / "hollow" / "full" / name)
    for name in ("a", "b"):
        (tmp_path / "broken" / name).mkdir(parents=True)
        for image in ("x.jpg", "y.jpg"):
            (tmp_path / "broken" / name / image).write_bytes(b"nothing")
    (tmp_path / "file").write_text("")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "config.json").write_text('{"format": "surgenas.run/0"}')
    other = {"format": "surgenas.architecture/1", "space": {"name": "elsewhere"}, "genes": ["a"]}
    (tmp_path / "other.json").write_text(json.dumps(other))
    four = {"widths": "0.25,0.5", "depths": "1", "operators": "k3e3,k3e6", "sides": "16", "resolution": 16}
    named = {"format": "surgenas.space/1", "name": "compound", "settings": four}
    (tmp_path / "four.json").write_text(json.dumps(named))
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


@pytest.mark.parametrize("group", [[], ["bench"]])
def test_asked_for_nothing_a_command_says_all_that_it_can_do(run, group):
    code, out, err = run(*group)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: ")
    assert "\nCommands:\n" in err


def command(*args: str) -> list[str]:
    return [sys.executable, "-c", "from surgenas.cli import main; main()", *args]


def wait_for(path: Path, event: str) -> None:
    for _ in range(1200):
        if path.exists() and Journal(path).all(event):
            return
        time.sleep(0.1)
    pytest.fail(f"no {event!r} in {path}")


@pytest.mark.parametrize(
    ("number", "code", "event"),
    [(signal.SIGINT, 130, "measured"), pytest.param(signal.SIGTERM, 143, "epoch", marks=pytest.mark.slow)],
)
def test_interrupted_from_outside_it_says_how_to_go_on(tmp_path, number, code, event):
    images = str(pictures(tmp_path / "images"))
    args = ["search", *TOY, "--data", images, "--epochs", "60", "--out", str(tmp_path / "run")]

    def default() -> None:  # a shell that starts us in the background has told its children to ignore Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)

    pipe = subprocess.PIPE
    process = subprocess.Popen(command(*args), stderr=pipe, stdout=pipe, text=True, preexec_fn=default)
    wait_for(tmp_path / "run" / "journal.jsonl", event)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "surgenas resume" in err.strip().splitlines()[-1]
    assert "Traceback" not in err
    assert out == ""


def test_a_signal_at_the_interpreters_exit_ends_it_without_a_traceback():
    code = (
        "import atexit, os, typer; from surgenas.cli.ending import end_well; app = typer.Typer(); "
        "app.command()(lambda: None); atexit.register(lambda: os.kill(os.getpid(), 15)); end_well(app)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
