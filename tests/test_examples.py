"""What comes from outside, in one file of examples/, keeps its contract and does its job in a command."""

from __future__ import annotations

import importlib
import json
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
from surgenas.spaces import make_space
from surgenas.testing import BRIEF, brief_device, check_runtime, check_search, check_space, check_target

EXAMPLES = Path(__file__).parents[1] / "examples"
MODULES = ("my_space", "my_method", "my_runtime", "my_target")


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
