"""What is drawn of a run: every figure of one that is finished, of one that is not, and of one on paper."""

from __future__ import annotations

import pytest

from surgenas.report import figures
from surgenas.runs.story import tell_story
from surgenas.runs.summary import summarize
from tests.runs.written import ROOFLINE, estimated, new_run, written_run


def drawn(run, name):
    return figures.FIGURES[name](summarize(run), tell_story(run))


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_run_that_has_just_begun_has_every_figure(tmp_path, name):
    assert drawn(new_run(tmp_path / "run"), name).to_html(include_plotlyjs=False)


def test_latencies_stand_beside_the_limit_with_their_intervals(tmp_path):
    figure = drawn(written_run(tmp_path / "run"), "limit")
    (trace,) = figure.data
    assert list(trace.y) == [
        "found",
        "MobileNetV2",
        "random at equal latency 1",
        "random 1",
        "random at equal total cost 1",
    ]
    assert list(trace.x) == pytest.approx([2.0, 2.1, 2.2, 2.3, 2.4])
    assert list(trace.error_x.array) == pytest.approx([0.02, 0.021, 0.022, 0.023, 0.024])
    assert [shape.x0 for shape in figure.layout.shapes] == [2.5]


def test_what_was_not_timed_has_no_error_bars(tmp_path):
    costs = {"found": estimated(2.0), "MobileNetV2": estimated(3.0)}
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    how = {"costs": costs, "device": str(tmp_path / "paper.toml")}
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, **how)
    for name in ("limit", "trade_off"):
        assert all(trace.error_x.array is None for trace in drawn(run, name).data)
    assert "measured" not in drawn(run, "predictions").layout.xaxis.title.text


def test_a_search_is_drawn_by_its_epochs_or_by_its_candidates(tmp_path):
    run = written_run(tmp_path / "run")
    assert drawn(run, "trajectory").layout.xaxis.title.text == "epoch of the supernet's training"
    run.journal.append("epoch", summary={"epoch": 1, "loss": 1.0, "accuracy": 0.5, "latency_ms": 2.2, "skips": 3})
    figure = drawn(run, "trajectory")
    assert figure.layout.xaxis.title.text == "epoch of the search"
    assert {trace.name: list(trace.y) for trace in figure.data}["latency"] == [None, 2.2]
    run.journal.append("trial", key="k", rung=0, genes=["k3e3"], score=0.5, latency_ms=1.5)
    (trace,) = drawn(run, "trajectory").data
    assert (list(trace.x), list(trace.y)) == ([1.5], [0.5])


def test_trainings_are_drawn_by_network_and_predictions_beside_the_diagonal(tmp_path):
    run = written_run(tmp_path / "run")
    (line,) = drawn(run, "training").data
    assert (line.name, list(line.x), list(line.y)) == ("found", [1], [1.0])
    points, diagonal = drawn(run, "predictions").data
    assert (list(points.x), list(points.y)) == ([1.1], [1.0])
    assert list(diagonal.x) == list(diagonal.y) == [1.1, 1.1]


def test_decisions_have_a_line_for_each_layer_and_part(tmp_path):
    run = new_run(tmp_path / "run")
    for epoch in range(2):
        decided = {"thresholds": [[0.5, 0.4]] * 3, "indicators": [[0.9, 1.0]] * 3}
        run.journal.append("epoch", summary={"epoch": epoch, "loss": 1.0, "latency_ms": 1.0, **decided})
    figure = figures.decisions(tell_story(run))
    assert len(figure.data) == 2 * 3 * 2
    assert {trace.name for trace in figure.data} == {"kernel 5", "not skipped"}
