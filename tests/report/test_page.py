"""The report: one file that needs no network, with every name escaped, also of an unfinished run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from surgenas import api
from surgenas.report.page import FURTHER, page, write_page
from surgenas.runs.names import MISJUDGED
from surgenas.runs.results import Accuracy, Layer, Reached
from surgenas.runs.story import tell_story
from surgenas.runs.summary import summarize
from surgenas.tasks.misjudged import Misjudged, thumbnails
from tests.runs.written import JUDGED, ROOFLINE, TOY, estimated, new_run, timed, written_run

GOLDEN = Path(__file__).parents[1] / "golden"
EVIL = Layer("<script>alert(1)</script>", "k3e3", (8, 4, 4), 1e6, 10, 0.5)


def body(text):
    return text[text.index("<body>") :]


def plain(text):
    """Without what plotly is told."""
    return re.sub(r"<script.*?</script>", "", body(text), flags=re.DOTALL)


def test_the_page_stands_alone_and_escapes_names(tmp_path):
    run = written_run(tmp_path / "<b>run", layers=(EVIL,), limit_ms=2.05)
    text = write_page(run).read_text()
    assert not re.search(r"""<(script|link|img|iframe)[^>]*(src|href)\s*=""", body(text))
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<b>run" not in text
    assert "&lt;owl&gt;" in plain(text)
    assert "<owl>" not in text
    for wanted in (
        "<h2>Classes</h2>",
        "balanced accuracy",
        "MobileNetV2",
        "90.00%",
        "2.05 ms",
        "inside",
        "Latency shares",
    ):
        assert wanted in body(text)
    assert body(text).count("plotly-graph-div") >= 5


def test_a_missed_limit_is_bold(tmp_path):
    assert "<b class=bad>outside</b>" in write_page(written_run(tmp_path / "run", limit_ms=1.0)).read_text()


def test_a_run_of_before_has_no_classes(tmp_path):
    run = written_run(tmp_path / "run")
    run.record("train found", Accuracy(0.9))
    text = plain(write_page(run).read_text())
    assert "<h2>Classes</h2>" not in text
    assert "balanced accuracy" not in text


def test_the_worst_judged_images_are_in_the_page_itself(tmp_path):
    run = written_run(tmp_path / "run")
    worst = (Misjudged(1, 2, 0, 0.02, 0.9),)
    run.record("train found", Accuracy(0.9, JUDGED.balanced_accuracy, JUDGED, worst))
    assert "Worst-judged" not in write_page(run).read_text(), "without their thumbnails"
    (run.folder / MISJUDGED).write_bytes(thumbnails(run.data.test.images[[1]]))
    text = write_page(run).read_text()
    assert "<b>&lt;owl&gt;</b> · 2%<br>said cat · 90%" in body(text)
    assert "url(data:image/jpeg;base64," in body(text)
    assert "url(" not in body(text).replace("url(data:", "")


def test_decisions_of_superkernels_are_drawn_and_only_theirs(tmp_path):
    run = written_run(tmp_path / "run")
    assert "superkernels" not in write_page(run).read_text().replace(str(run.folder), "")
    decided = {"thresholds": [[0.5, 0.5, 0.5]] * 11, "indicators": [[0.9, 1.0, 0.2]] * 11}
    run.journal.append("epoch", summary={"epoch": 1, "loss": 1.0, "latency_ms": 1.0, "skips": 3, **decided})
    text = write_page(run).read_text()
    assert "Decisions of the superkernels" in text
    assert "layer 11, expansion 6" in text


def test_an_unfinished_run_has_a_page_too(tmp_path):
    run = new_run(tmp_path / "run")
    assert "not finished" in api.write_report(run.folder).read_text()
    run.record("reach", Reached(0.5, 4.0, 2.5))
    text = api.write_report(run.folder).read_text()
    assert "not finished" in text
    assert "0.5 ms to 4 ms" in text


def test_a_target_that_does_not_tell_layers_leaves_shares_empty(tmp_path):
    run = written_run(tmp_path / "run", layers=(Layer("stem", "fixed", (8, 8, 8), 1e6, 10, None),))
    text = plain(write_page(run).read_text())
    assert "latency share" not in text
    assert "class=wide" not in text
    assert "Darker ones take longer" not in text


@pytest.mark.parametrize("cost", [timed, estimated])
def test_what_was_estimated_is_never_said_to_be_measured_and_has_no_grade(tmp_path, cost):
    """And what was timed is never said to be estimated."""
    costs = {"found": cost(2.0), "MobileNetV2": cost(3.0)}
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    device = TOY if cost is timed else str(tmp_path / "paper.toml")
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, costs=costs, device=device)
    said = plain(page(summarize(run), tell_story(run))).replace(str(run.folder), "").lower()
    certain = ("measured", "grade", "95 % interval", "as runs came")
    if cost is timed:
        assert all(word in said for word in certain)
        assert "estimated" not in said
    else:
        assert not [word for word in certain if word in said]
        assert "estimated" in said


def test_commands_to_copy_name_the_run_and_are_of_what_can_be_done_with_it(tmp_path):
    run = written_run(tmp_path / "a run")
    text = plain(write_page(run).read_text())
    assert f"surgenas classify &#x27;{tmp_path}/a run&#x27; new_photos/" in text
    assert "surgenas resume" not in text
    text = plain(write_page(new_run(tmp_path / "begun")).read_text())
    assert f"<code>surgenas resume {tmp_path}/begun</code>" in text
    assert "surgenas classify" not in text


def test_every_command_to_copy_is_one_with_these_options():
    for text in FURTHER:
        name, *words = text.format(run="runs/1").split()
        flags = {word for word in words if word.startswith("--")}
        assert flags <= set(json.loads((GOLDEN / "flags.json").read_text())[name])
