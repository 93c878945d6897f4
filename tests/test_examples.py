"""The examples run; and what comes from outside, in one file of examples/, keeps its contract and does its job in a
command."""

from __future__ import annotations

import ast
import importlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import surgenas
from surgenas import cli
from surgenas.core import moves
from surgenas.core.cost import Effort, Failure
from surgenas.core.errors import UsageError
from surgenas.engine.jobs import job_of
from surgenas.engine.tabular import Tabular, World
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Job
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.blackbox import list_networks
from surgenas.nn.named import make_network
from surgenas.nn.weights import save_weights
from surgenas.spaces import make_space
from surgenas.spaces.macro import Macro
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import BRIEF, brief_device, check_runtime, check_search, check_space, check_target
from tests.runs.written import TINY, pictures

EXAMPLES = Path(__file__).parents[1] / "examples"
MODULES = tuple(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.fixture(autouse=True)
def _outside(monkeypatch, tmp_path):
    """The folder of the examples is where Python looks for modules, also in a worker's process."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    monkeypatch.chdir(tmp_path)
    yield
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def my_space():
    return make_space("my_space:MySpace", {"classes": 10, "resolution": 16})


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command line; what it printed."""

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["surgenas", *words])
        cli.main()
        return capsys.readouterr().out

    return run


def test_a_space_from_outside_keeps_the_contract(my_space):
    check_space(my_space)
    assert moves.size(my_space) == 81
    assert my_space.input_shape == (3, 16, 16)


def test_a_method_from_outside_keeps_the_contract_and_climbs(my_space):
    """Judged by a table: the more of the last operator, the better."""
    score = list_networks(my_space).code[:, :, -1].sum(1)
    world = World(my_space, score[None], score, latency_ms=1.0 + score, limit_ms=4.5)
    problem = Problem(my_space, 4.5, seed=0, feasible=world.feasible, priced=True)
    method = make_method("my_method:HillClimbing", {"trials": 24, "first": 2})
    work = check_search(method, problem, Tabular(world))
    judged = [done.arch for done in work if hasattr(done, "rung")]
    assert len(judged) == 24
    assert max(arch.genes.count("grouped") for arch in judged) == 3, "the best inside the limit"
    with pytest.raises(UsageError, match="first"):
        make_method("my_method:HillClimbing", {"first": 0})


def test_a_runtime_from_outside_keeps_the_contract(my_space, tmp_path):
    """Also in a process of its own, which must find the runtime by its path."""
    check_runtime(importlib.import_module("my_runtime").MyRuntime())
    jobs = [job_of(moves.uniform_architecture(my_space, gene), my_space) for gene in ("full", "grouped")]
    device = brief_device(str(EXAMPLES / "my_runtime.toml"))
    check_target(device, jobs)
    elsewhere = replace(device, protocols=dict.fromkeys(Effort, replace(BRIEF, fresh=True)))
    (cost,) = elsewhere.on_scale(("reference-xs/1", 1.0)).price(jobs[:1])
    assert not isinstance(cost, Failure), cost.error
    assert "/my_runtime-" in cost.target
    command = json.dumps([sys.executable, "-m", "surgenas.hardware.worker"])
    (tmp_path / "far.toml").write_text(f'runtime = "my_runtime:MyRuntime"\ncommand = {command}\n')
    assert "/my_runtime-" in make_target(str(tmp_path / "far.toml")).key, "a worker greets with it"


def test_a_target_from_outside_keeps_the_contract(tmp_path, small):
    jobs = [job_of(moves.uniform_architecture(small, gene)) for gene in ("k3e3", "k5e6")]
    target = make_target("my_target:Microcontroller")
    check_target(target, jobs)
    (tmp_path / "board.toml").write_text('estimator = "my_target:Microcontroller"\nmhz = 50\n')
    slower = make_target(str(tmp_path / "board.toml"))
    check_target(slower, jobs)
    assert slower == importlib.import_module("my_target").Microcontroller("board", mhz=50.0)
    assert [cost.ms for cost in slower.price(jobs)] == [2 * cost.ms for cost in target.price(jobs)]
    (failure,) = target.price([Job("a file", None, (3, 16, 16))])
    assert isinstance(failure, Failure)


def test_a_target_from_outside_in_the_command(tmp_path, small, command):
    """It says estimated, with all its units and assumptions, and nothing that only a timed latency has."""
    (tmp_path / "arch.json").write_text(moves.uniform_architecture(small, "k3e3").to_json())
    args = ["measure", "arch.json", "--device", "my_target:Microcontroller"]
    text = command(*args)
    assert all(word in text for word in ("arch.json", "MobileNetV2 16 px", "estimated by", "cycles", "nothing ran"))
    assert importlib.import_module("my_target").ASSUMPTIONS[0] in text
    assert not [word for word in ("measured", "grade", "+-", "max diff", "campaign", "p90", "nan") if word in text]
    row = json.loads(command(*args, "--json"))["measurements"][0]
    assert row["evidence"] == "estimated"
    assert row["values"]["ms"] == row["ms"] == row["values"]["cycles"] / 1e5
    assert not {"grade", "half_width", "max_difference"} & set(row)


def test_space_method_and_target_from_outside_do_the_whole_job(command, photos):
    names = "--space my_space:MySpace --method my_method:HillClimbing --device my_target:Microcontroller"
    brief = "--resolution 16 --epochs 1 --train-epochs 1 --samples 12 --batch 8 --accelerator cpu"
    settings = f"--data {photos} --set trials=3 --set first=2 --out run --json"
    found = json.loads(command("search", *f"{names} {brief} {settings}".split()))
    assert found["architecture"]["space"]["name"] == "my_space"
    assert json.loads(command("resume", "run", "--json")) == found
    page = Path("run/report.html")
    page.unlink()
    assert "report.html" in command("report", "run")
    assert "my_target" in page.read_text()
    model = surgenas.load("run")
    assert model(torch.zeros(2, 3, 16, 16)).shape == (2, 2)
    assert np.isfinite(model(torch.ones(1, 3, 16, 16)).detach().numpy()).all()


# --- programs


def example(name: str):
    return importlib.import_module(name).main


def test_a_search_and_going_on_with_it(photos, capsys):
    example("quickstart")(
        Path("run"), data=str(photos), device="surgenas.testing:toy_device", resolution=16, epochs=1, train_epochs=1,
        samples=16, batch=8, predictors=("flops",), accelerator="cpu",
    )  # fmt: skip
    assert "on the test part, 2 classes" in capsys.readouterr().out
    example("resume")(Path("run"))
    assert "went on: " in capsys.readouterr().out


@pytest.mark.slow  # tests/runs has such a job
def test_a_network_made_smaller(capsys):
    photos = pictures(Path("pictures"))
    save_weights(Path("whole.safetensors"), make_network("test_resnet", 7, 24).state_dict())
    words = {**TINY, "resolution": 24, "predictors": ("process",), "method": "spos"}
    settings = {"population": 4, "generations": 1, "parents": 2}
    example("adapt")(str(photos), Path("run"), "test_resnet", "whole.safetensors", **words, method_settings=settings)
    assert re.search(r"^found: [\d.]+% at [\d.]+ ms$", capsys.readouterr().out, re.MULTILINE)


def test_networks_side_by_side(small, capsys):
    Path("one.json").write_text(moves.uniform_architecture(small, "k3e3").to_json())
    Path("two.json").write_text(moves.uniform_architecture(small, "k5e6").to_json())
    example("measure")("one.json", "two.json", devices=("roofline-example",), resolution=16)
    one, two, _ = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"one.json: [\d.]+ ms, place \(1, 1\)", one)
    assert re.fullmatch(r"two.json: [\d.]+ ms, place \(2, 2\)", two)


def test_a_new_device_from_ten_measurements(capsys):
    rng, cells = np.random.default_rng(0), NASBench201()
    archs = list({moves.sample(cells, rng): None for _ in range(40)})
    told = [f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|" for a, b, c, d, e, f in (arch.genes for arch in archs)]
    rows = [f"{text},{1 + text.count('conv')},{2 + 3 * text.count('conv')}" for text in told]
    Path("cells.csv").write_text("\n".join(["arch,new_ms,old_ms", *rows]))
    example("new_device")("nasbench201", "cells.csv", "new_ms", "old_ms", predictors=("ridge",))
    assert re.search(r"ridge: Kendall tau [\d.]+, \d+% within a tenth", capsys.readouterr().out)


def test_a_bench_on_a_table(capsys):
    macro = Macro()
    paths = [moves.indices(macro, arch) for arch in moves.enumerate_all(macro)]
    rows = [f"{''.join(map(str, path))},{60 + sum(path)},{61 + sum(path)}" for path in paths]
    Path("macro.csv").write_text("\n".join(["arch,val,test", *rows]))
    example("bench")("macro", "macro.csv", Path("bench"), methods=("local",), budget=20, seeds=1)
    out = capsys.readouterr().out
    assert "local: regret " in out
    assert Path(out.splitlines()[-1]).exists()


# --- notebooks


def read(name: str, **parameters: object) -> list[str]:
    """Run the code cells of a notebook, the one tagged parameters with these values behind it; what the last expression
    of each cell is shown as."""
    cells = json.loads((EXAMPLES / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    names, shown = {}, []
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        assert not cell["outputs"], "kept without what they printed"
        *before, last = ast.parse("".join(cell["source"])).body
        if not isinstance(last, ast.Expr):
            before.append(last)
        exec(compile(ast.Module(before, []), name, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), names)
            shown.append(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
        if "parameters" in cell["metadata"].get("tags", ()):
            names |= parameters
    return shown


def test_the_notebook_of_a_first_search(photos, capsys):
    words = {**TINY, "data": str(photos), "epochs": 1, "train_epochs": 1, "batch": 8}
    table, file = read("a_first_search", folder=Path("run"), words=words)
    assert "<table" in table
    assert "MobileNetV2: " in capsys.readouterr().out
    assert "run/model.onnx" in file


def test_the_notebook_of_latencies(capsys):
    devices = ["roofline-example", "my_target:Microcontroller"]
    (tau,) = read("latencies", networks=["test_efficientnet", "test_resnet"], devices=devices)
    assert -1 <= float(tau.partition("(")[2].rstrip(")") or tau) <= 1
    assert capsys.readouterr().out.count("estimated") == 6
