"""Accuracy over latency: who stands where, how sure that is, and what was asked about on the way."""

from __future__ import annotations

import pytest

from surgenas.core.significance import share_interval
from surgenas.report.trade_off import trade_off
from surgenas.runs.story import tell_story
from surgenas.runs.summary import summarize
from tests.runs.written import timed, written_run


def drawn(run):
    return {trace.name: trace for trace in trade_off(summarize(run), tell_story(run)).data}


def test_accuracy_stands_over_latency_by_kind_with_both_intervals(tmp_path):
    run = written_run(tmp_path / "run")
    points = drawn(run)
    assert (list(points["found"].x), list(points["found"].y)) == ([2.0], [0.9])
    assert list(points["random"].y) == [0.7, 0.6]
    assert list(points["random at equal total cost"].y) == [0.85]
    assert list(points["MobileNetV2"].y) == [0.8]
    low, high = share_interval(0.9, run.journal.last("data")["test"])
    assert list(points["found"].error_y.array) == pytest.approx([high - 0.9])
    assert list(points["found"].error_y.arrayminus) == pytest.approx([0.9 - low])
    assert list(points["found"].error_x.array) == pytest.approx([0.02])


def test_the_front_joins_what_no_other_one_beats(tmp_path):
    costs = {"found": timed(2.0), "MobileNetV2": timed(1.0), "random 1": timed(3.0)}
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.8, "random 1": 0.85}, costs=costs)
    front = drawn(run)["no other is better"]
    assert (list(front.x), list(front.y)) == ([1.0, 2.0], [0.8, 0.9])
    assert "no other is better" not in drawn(written_run(tmp_path / "other")), "the found one beats all"


def test_every_network_that_was_asked_about_has_a_mark(tmp_path):
    run = written_run(tmp_path / "run")
    for i, step in enumerate(("reach", "profile", "derive", "derive", "yardstick")):
        cost = timed(1.0 + i, key=str(i)).to_dict()
        run.journal.append("measured", step=step, turn=0, key=str(i), genes=["a", "b"], cost=cost)
    points = drawn(run)
    marks = points["to learn latency from (2)"]
    assert list(marks.x) == [1.0, 2.0]
    assert list(marks.error_x.array) == pytest.approx([0.01, 0.02])
    assert marks.hovertext[0] == "1 ms a-b"
    assert list(points["candidates (2)"].x) == [3.0, 4.0]
    assert list(points["to compare with (1)"].x) == [5.0]


def test_smaller_images_that_were_trained_as_long_have_a_mark_of_their_own(tmp_path):
    beside = {"smaller images": 0.8, "smaller images at equal total cost": 0.85}
    points = drawn(written_run(tmp_path / "run", beside=beside))
    assert list(points["smaller images"].y) == [0.8]
    assert list(points["smaller images at equal total cost"].y) == [0.85]
