"""Comfort Zone: how far a network grows before its device charges for it."""

from __future__ import annotations

import json

import pytest

from surgenas import api
from surgenas.core.architecture import read_architecture
from surgenas.core.errors import UsageError
from surgenas.report.text import scale_table
from surgenas.studies.scale import Growth
from tests.runs.written import ROOFLINE, TOY, architecture_file


@pytest.fixture
def arch(tmp_path):
    return architecture_file(tmp_path / "arch.json")


def test_the_zone_of_a_device_that_charges_by_parameters_only(arch, tmp_path):
    """The toy device takes no notice of resolution, and charges for every channel."""
    found = api.scale(arch, TOY, tmp_path / "grown", knob="resolution")
    assert [p.scale for p in found.points] == [1.0, 1.5, 2.0]
    assert [p.inside for p in found.points] == [False, True, True], "the network itself is no growth"
    assert found.picked == found.points[-1]
    assert read_architecture(tmp_path / "grown") == found.architecture
    assert dict(found.architecture.space.settings)["resolution"] == 32
    assert "picked resolution x 2.00" in found.verdict
    assert Growth.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_an_empty_zone_picks_nothing(arch, tmp_path):
    found = api.scale(arch, TOY, tmp_path / "wide", knob="width", most=1.2, slack=0.0)
    assert (found.picked, found.architecture) == (None, None)
    assert "the Comfort Zone is empty here: every step of width costs" in found.verdict
    assert not (tmp_path / "wide" / "architecture.json").exists()
    assert "every step of width costs" in (tmp_path / "wide" / "comfort_zone.html").read_text()


def test_a_machine_too_busy_has_neither_a_zone_nor_an_empty_one(arch, tmp_path):
    found = api.scale(arch, "tests.runs.written:HopelessDevice", tmp_path / "busy", knob="resolution")
    assert "cannot be said" in found.verdict
    assert found.picked is None
    assert not any(p.inside for p in found.points)


def test_on_paper_every_point_is_sure_and_has_no_grade(arch, tmp_path):
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    found = api.scale(arch, str(tmp_path / "paper.toml"), tmp_path / "paper", knob="resolution", most=1.5)
    assert {(p.grade, p.interval) for p in found.points} == {(None, None)}
    assert "empty here" in found.verdict
    assert "measured" not in scale_table(found)


def test_before_and_after_are_trained_alike(arch, tmp_path):
    how = {"knob": "resolution", "most": 1.5, "data": "digits", "epochs": 1}
    found = api.scale(arch, TOY, tmp_path / "trained", **how)
    assert 0 < found.accuracy.before <= 1
    assert 0 < found.accuracy.after <= 1
    assert "before" in scale_table(found)


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"knob": "colour"}, "width, resolution, depth"),
        ({"most": 1.0}, "--most 1"),
        ({"most": 9.0}, "--most 9"),
        ({"slack": 0.7}, "--slack 0.7"),
    ],
)
def test_what_cannot_be_grown_is_named(arch, tmp_path, how, named):
    with pytest.raises(UsageError, match=named):
        api.scale(arch, TOY, tmp_path / "out", **how)
    assert not (tmp_path / "out").exists()
