"""A published latency table as a target: what it knows, and what it must refuse."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from surgenas.core import moves
from surgenas.core.cost import Estimate, Failure
from surgenas.core.errors import DataError, UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware.costs import read_cost
from surgenas.hardware.estimated.table import TableTarget, read_space_key
from surgenas.hardware.target import Job, TimedTarget, all_costs
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.single_path import SinglePath
from surgenas.testing import check_target

PIXEL_1 = Path(__file__).parents[4] / "shared" / "data" / "spnas_pixel1" / "pixel1_runtime_model.json"
SPACE = SinglePath()


def written(folder, **changes):
    """A table in which every operator of layer n takes n ms, and everything else 5 ms."""
    operators = ("k3e3", "k3e6", "k5e3", "k5e6")
    rows = {str(n): dict.fromkeys(operators, float(n)) for n in range(1, 21)}
    path = folder / "table.json"
    path.write_text(json.dumps(rows | {"fixed": 5.0} | changes))
    return path


@pytest.fixture
def target(tmp_path):
    return TableTarget("mine", written(tmp_path), SPACE)


def test_it_keeps_the_contract_and_is_no_device(target):
    check_target(target, [job_of(SPACE.parse("k3e3")), job_of(SPACE.parse("spnasnet"))])
    assert not isinstance(target, TimedTarget)
    assert target.describe().evidence == "estimated"
    assert all(note.endswith(".") for note in target.describe().notes)


def test_the_published_table_of_a_pixel_1():
    if not PIXEL_1.exists():
        pytest.skip("no shared data here")
    target = TableTarget("pixel-1", PIXEL_1, SPACE)
    costs = all_costs(target.price([job_of(SPACE.parse(text)) for text in ("spnasnet", "k5e6", "k3e6", "k3e3")]))
    assert [round(cost.ms, 2) for cost in costs] == [80.44, 131.46, 110.65, 65.69]


def test_an_estimate_has_its_layers_and_no_more_certainty_than_it_has(target):
    (cost,) = target.price([job_of(SPACE.parse("k3e3"))])
    assert isinstance(cost, Estimate)
    assert cost.by_layer[0] == ("stage1.layer1", 1.0)
    assert cost.by_layer[-1] == ("everything else", 5.0)
    assert cost.ms == sum(ms for _, ms in cost.by_layer) == 215.0
    assert (cost.grade, cost.interval_ms) == (None, None)
    assert read_cost(json.loads(json.dumps(cost.to_dict()))) == cost


def test_what_is_the_same_network_costs_the_same(target):
    """A skipped layer costs nothing, and of equal layers it may be any that is skipped."""
    genes = list(SPACE.parse("k3e3").genes)
    early, late = (SPACE.architecture((*genes[:n], "skip", *genes[n + 1 :])) for n in (1, 3))
    assert [cost.ms for cost in target.price([job_of(early), job_of(late)])] == [211.0, 211.0]


def test_networks_that_it_does_not_know_fail_in_one_line_and_alone(target):
    rival = job_of(moves.uniform_architecture(Mobile(layout="mobilenetv2"), "k3e6"))
    smaller = job_of(SinglePath(resolution=96).parse("k3e3"))
    file = Job("a-file", None, (3, 224, 224))
    *failed, cost = target.price([rival, smaller, file, job_of(SPACE.parse("k3e3"))])
    assert all(isinstance(failure, Failure) for failure in failed)
    first, second, third = (str(failure.error) for failure in failed)
    assert "single_path(" in first
    assert "does not know a network of mobile(" in first
    assert "resolution=96" in second
    assert third == "a-file: a latency table knows architectures of single_path, not this network"
    assert cost.ms == 215.0


def test_its_file_is_read_once_and_is_its_key(tmp_path):
    path = written(tmp_path)
    target, again = TableTarget("a", path, SPACE), TableTarget("b", path, SPACE)
    written(tmp_path, fixed=6.0)
    assert target.key == again.key != TableTarget("a", path, SPACE).key
    path.unlink()
    (cost,) = pickle.loads(pickle.dumps(target)).price([job_of(SPACE.parse("k3e3"))])
    assert cost.ms == 215.0


def test_a_table_that_is_wrong_is_said_when_the_target_is_made(tmp_path):
    with pytest.raises(DataError, match="no row for layer 7"):
        TableTarget("mine", written(tmp_path, **{"7": 1.0}), SPACE)
    with pytest.raises(UsageError, match="No such file"):
        TableTarget("mine", tmp_path / "none.json", SPACE)


def test_a_space_from_outside_is_named_by_its_path(tmp_path):
    """What it calls itself is in no catalogue."""
    space = read_space_key("surgenas.testing:Planted")
    path = tmp_path / "table.json"
    path.write_text(json.dumps({choice.name: dict.fromkeys(choice.options, 1.0) for choice in space.choices}))
    arch = moves.uniform_architecture(space, "bad")
    (cost,) = TableTarget("mine", path, space).price([Job("k", None, space.input_shape, arch=arch)])
    assert cost.by_layer[0] == (space.choices[0].name, 1.0)
    with pytest.raises(UsageError, match="unknown space 'round'"):
        read_space_key("round")
    with pytest.raises(ValueError, match="single_path"):
        read_space_key({"classes": 10})
