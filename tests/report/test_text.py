"""What a person reads in the terminal of targets, of predictors and at the end of a search."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from surgenas.hardware.target import TargetInfo
from surgenas.report.page import page
from surgenas.report.text import (
    device_table,
    export_text,
    predictor_table,
    summary_text,
    trained_text,
)
from surgenas.runs import summary
from surgenas.runs.names import FOUND, YARDSTICK
from surgenas.runs.results import HeldOutLatencies, Predicted, Reached
from surgenas.runs.story import tell_story
from surgenas.runs.summary import summarize
from surgenas.studies.describe import Unusable
from surgenas.studies.export import HandedOn
from surgenas.studies.train import TrainedFile
from tests.runs.written import DELIVERED, JUDGED, SCORE, timed, written_run
from tests.runs.written import estimated as cost_on_paper


def test_targets_are_listed_as_measured_or_estimated():
    box = TargetInfo("box", "k", "measured", "toy 1", "none", threads=4)
    paper = TargetInfo("paper", "k", "estimated", "formula 1", "none")
    text = device_table({"box": box, "paper": paper, "gone": Unusable("not [here]")})
    assert re.search(r"box +toy 1 +fp32 +4 +1 +measured", text)
    assert re.search(r"paper +formula 1 +fp32 +- +1 +estimated", text)
    assert "not [here]" in text


@pytest.mark.parametrize(("limit_ms", "verdict"), [(2.5, "inside the limit of 2.5 ms"), (1.5, "MISSES the limit")])
def test_a_search_ends_with_its_claim(tmp_path, limit_ms, verdict):
    text = summary_text(summarize(written_run(tmp_path / "run", limit_ms=limit_ms)))
    assert text.startswith(f"measured 2 ms +-1.0% (grade A) in the machine's quiet state, predicted 1.9 ms; {verdict}")
    assert re.search(r"^found +90.00% +2 ms +A", text, re.M)
    assert re.search(r"^MobileNetV2 +80.00% +2.1 ms +A +1.05 \(", text, re.M)
    assert re.search(
        r"^found   test accuracy [\d.]+% to [\d.]+% \(95 %\), as far as 5 test images can tell$", text, re.M
    )
    assert "classes least F1: <owl> 0%, dog 50%, cat 80%; most confused: 1 of 3 cat taken for dog; balanced" in text
    assert f"surgenas.load({str(tmp_path / 'run')!r})" in text
    assert f"device  {tmp_path / 'run' / 'model-int8.onnx'}" in text
    assert "int8 on toy: test accuracy 88.00%; beside PyTorch the same class for 90% of 64 test images" in text


def test_what_the_found_network_needs_stands_beside_its_limits(tmp_path):
    costs = {name: cost_on_paper(2.0) for name in (FOUND, YARDSTICK)}
    run = written_run(tmp_path / "run", costs=costs, beside={YARDSTICK: 0.8}, limits={"cycles": 2.5e5})
    assert "found   needs 200,000 cycles (limit 250,000 cycles)" in summary_text(summarize(run))
    assert "limit 250,000 cycles" in page(summarize(run), tell_story(run))
    assert "needs" not in summary_text(summarize(written_run(tmp_path / "timed")))


def test_an_estimate_that_training_changed_is_told_with_what_it_was(tmp_path):
    run = written_run(tmp_path / "run", costs={FOUND: cost_on_paper(2.0)}, beside={})
    run.record("derive", replace(run.derived, cost=cost_on_paper(2.0)))
    assert "Before it was trained" not in summary_text(summarize(run))
    changed = replace(run.derived, cost=cost_on_paper(2.2))
    run.record("derive", changed)
    assert "Before it was trained it was estimated at 2.2 ms." in summary_text(summarize(run))


@pytest.mark.parametrize(
    ("latency_as", "said"),
    [
        ("quiet", "inside the limit of 2.5 ms: 80.0% of it +-1.0% (grade A)"),
        ("p50", "inside the limit of 2.5 ms for half of all runs: 80.0% of it +-0.0% (grade A)"),
        ("p90", "MISSES the limit of 2.5 ms for nine runs of ten: 120.0% of it +-0.0% (grade A)"),
    ],
)
def test_the_limit_is_judged_by_what_it_is_for(tmp_path, latency_as, said):
    run = written_run(tmp_path / "run", latency_ms=2.5, latency_as=latency_as)
    run.record("reach", Reached(0.1, 4.0, 2.0, 2.5))
    claim, as_runs_came, *_ = summary_text(summarize(run)).splitlines()
    assert claim.endswith(said)
    assert as_runs_came == (
        "as runs came while this was measured: half of all runs took 2 ms or less (2 ms to 2 ms), nine runs of ten "
        "took 3 ms or less (3 ms to 3 ms)"
    )


def test_a_training_ends_with_its_accuracy_and_its_classes():
    text = trained_text(
        TrainedFile("out/model.safetensors", "out/model.onnx", summary.TestAccuracy(0.8, 5 / 9), JUDGED)
    )
    assert text.startswith("test accuracy 80.00%\nclasses least F1: <owl> 0%")
    assert text.endswith("\nmodel   out/model.safetensors\nONNX    out/model.onnx")
    assert "classes" not in trained_text(TrainedFile("m", "o", summary.TestAccuracy(0.8)))


@pytest.mark.parametrize(("start", "told"), [("fresh", False), ("inherit", True)])
def test_networks_that_began_ahead_of_the_others_are_never_compared_in_silence(tmp_path, start, told):
    run = written_run(tmp_path / "run", start=start)
    for said in (summary_text(summarize(run)), page(summarize(run), tell_story(run))):
        assert ("began their training with weights of the search" in said) == told


def test_what_was_handed_on_is_told_with_what_is_known_of_it():
    assert export_text(HandedOn(("net.onnx", "net.onnx.json"))) == "wrote net.onnx, net.onnx.json"
    text = export_text(HandedOn(("net.onnx",), DELIVERED, timed(2.0))).splitlines()
    assert text[1].startswith("int8 on toy: test accuracy 88.00%")
    assert text[2] == "measured 2 ms +-1.0% (grade A)"


@pytest.mark.parametrize(("asked_ms", "grade"), [(None, "A"), (2.5, "D")])
def test_milliseconds_that_are_not_known_well_are_told_apart_from_the_share_of_the_limit(tmp_path, asked_ms, grade):
    costs = {"found": replace(timed(2.0), scale_doubt=0.5), "MobileNetV2": timed(3.0)}
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, costs=costs)
    run.record("reach", Reached(0.1, 4.0, 2.5, asked_ms))
    claim, _, note, *_ = summary_text(summarize(run)).splitlines()
    assert claim.startswith("measured 2 ms +-50.0% (grade D) in the machine's quiet state")
    assert re.search(rf"inside the limit of 2.5 ms: 80.0% of it \+-[\d.]+% \(grade {grade}\)$", claim)
    assert note.startswith("What a millisecond is here is known within 50% only")


SAID = ("All is well.", "Sized for it: 3 engines.")
"""What an estimator takes for granted: of all networks, and of one."""


def test_a_search_on_paper_ends_without_certainty(tmp_path):
    costs = {"found": cost_on_paper(2.0), "MobileNetV2": cost_on_paper(3.0)}
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, costs=costs)
    run.journal.append("target", notes=["All is well."])
    run.record("verify", replace(run.verified, costs=costs | {"found": replace(costs["found"], assumptions=SAID)}))
    text = summary_text(summarize(run))
    assert text.startswith("estimated 2 ms, inside the limit of 2.5 ms; nothing was timed\nSized for it: 3 engines.")
    assert "All is well" not in text, "that is the target's, and stands on the page"
    assert re.search(r"^MobileNetV2 +80.00% +3 ms +1.50$", text, re.M)
    assert not [word for word in ("measured", "grade", "+-", "as runs came") if word in text]


def test_a_claim_of_grade_d_is_still_told(tmp_path):
    costs = {"found": timed(2.0, grade="D"), "MobileNetV2": timed(3.0)}
    text = summary_text(summarize(written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, costs=costs)))
    assert "(grade D)" in text
    assert re.search(r"^MobileNetV2 +80.00% +3 ms +A +-$", text, re.M)


def test_predictors_stand_with_the_noise_ceiling_last():
    text = predictor_table(Predicted((SCORE,), HeldOutLatencies((), ()), SCORE, "ridge", "because"))
    assert text.count("0.900") == 2
    assert text.endswith("chosen: ridge (because)")
    assert predictor_table(Predicted((SCORE,), HeldOutLatencies((), ()), None, "ridge", "x")).count("0.900") == 1
