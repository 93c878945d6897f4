"""A line for each step that is done: what came out, what it took, what is left."""

from __future__ import annotations

import pytest

from surgenas.runs.outcome import outcome, say_done
from surgenas.runs.results import Accuracy, Derived, Exported, Planned, Profiled, Rivals, Searched
from tests.runs.written import ARCH, again, new_run, timed, written_run


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, ""),
        (Profiled(40, ()), "40 networks priced"),
        (Searched(6), "6 rounds"),
        (Derived(ARCH, 1.0, timed(1.0), 1), "found a network, measured 1 ms +-1.0% (grade A)"),
        (Rivals({"MobileNetV2": ARCH, "random 1": ARCH}), "to compare with: MobileNetV2, random 1"),
        (Rivals({}), ""),
        (Accuracy(0.9751), "test accuracy 97.51%"),
        (Exported(1e-6, 1.0, None), "ONNX, 1.0e-06 beside PyTorch"),
        (Planned(2, 2, 1.0, 1.0, 1.0, 1.0, 1), ""),
    ],
)
def test_what_came_out_is_told_in_a_few_words(found, words):
    assert outcome(found) == words


def test_the_chosen_predictor_is_told_with_its_errors(tmp_path):
    run = written_run(tmp_path / "run")
    assert outcome(run.predicted) == (
        "latency predictor ridge (off by 11.0% on average, by 12.0% near the limit, Kendall tau 0.90; because)"
    )


def test_a_step_is_told_with_its_time_and_what_is_left(tmp_path, listener):
    run = again(new_run(tmp_path / "run"), listener)
    run.journal.append("spent", step="profile", seconds=10.0)
    run.record("profile", Profiled(40, ()))
    say_done(run, "profile", run.result(Profiled))
    run.record("plan", Planned(2, 2, 10.0, 20.0, 60.0, 40.0, 10**9))
    say_done(run, "profile", run.result(Profiled))
    say_done(run, "cost", None)
    assert listener.said == [
        "profile: 40 networks priced; 10 s",
        "profile: 40 networks priced; 10 s, about 2.0 min left",
    ]
