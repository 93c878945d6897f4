"""What comes from outside, in one file of examples/, keeps its contract and does its job in a command."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from surgenas import cli
from surgenas.core import moves
from surgenas.core.cost import Failure
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Job
from surgenas.testing import check_target

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def my_target(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)
    yield importlib.import_module("my_target")
    sys.modules.pop("my_target")


def test_a_target_from_outside_keeps_the_contract(my_target, tmp_path, small):
    jobs = [job_of(moves.uniform_architecture(small, gene)) for gene in ("k3e3", "k5e6")]
    target = make_target("my_target:Microcontroller")
    check_target(target, jobs)
    (tmp_path / "board.toml").write_text('estimator = "my_target:Microcontroller"\nmhz = 50\n')
    slower = make_target(str(tmp_path / "board.toml"))
    check_target(slower, jobs)
    assert slower == my_target.Microcontroller("board", mhz=50.0)
    assert [cost.ms for cost in slower.price(jobs)] == [2 * cost.ms for cost in target.price(jobs)]
    (failure,) = target.price([Job("a file", None, (3, 16, 16))])
    assert isinstance(failure, Failure)


def test_a_target_from_outside_in_the_command(my_target, tmp_path, small, monkeypatch, capsys):
    """It says estimated, with all its units and assumptions, and nothing that only a timed latency has."""
    (tmp_path / "arch.json").write_text(moves.uniform_architecture(small, "k3e3").to_json())
    args = ["surgenas", "measure", "arch.json", "--device", "my_target:Microcontroller"]
    monkeypatch.setattr(sys, "argv", args)
    cli.main()
    text = capsys.readouterr().out
    assert all(word in text for word in ("arch.json", "MobileNetV2 16 px", "estimated by", "cycles", "nothing ran"))
    assert my_target.ASSUMPTIONS[0] in text
    assert not [word for word in ("measured", "grade", "+-", "max diff", "campaign", "p90", "nan") if word in text]
    monkeypatch.setattr(sys, "argv", [*args, "--json"])
    cli.main()
    row = json.loads(capsys.readouterr().out)["measurements"][0]
    assert row["evidence"] == "estimated"
    assert row["values"]["ms"] == row["ms"] == row["values"]["cycles"] / 1e5
    assert not {"grade", "half_width", "max_difference"} & set(row)
