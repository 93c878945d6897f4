"""What a person reads in the terminal: ratios with intervals, ties, why a number is poor, what was estimated."""

from __future__ import annotations

import re

import pytest

from surgenas.core.cost import Estimate
from surgenas.hardware.target import TargetInfo
from surgenas.hardware.timed.measurement import Comparison, Measurement, compare_latencies
from surgenas.report.text import device_table, measurement_table, predictor_table, summary_text
from surgenas.runs.results import HeldOutLatencies, Predicted
from surgenas.runs.summary import summarize
from surgenas.studies.measure import Measured, Measurements
from tests.runs.written import SCORE, timed, written_run
from tests.runs.written import estimated as cost_on_paper

YARDSTICK = Measurement("m", "d", 1.0, 1.0, 0.01, "A", 10, 1.0, None, "r", 1.0, 0.0, campaigns_ms=(1.0, 1.01, 0.99))


def row(name, rank, ms, grade="A", on="cpu", **context):
    m = Measurement(name, "here", ms, ms, 0.01, grade, 10, ms, None, "r", 1.0, 0.0, context=context,
                    campaigns_ms=(ms, 1.01 * ms, 0.99 * ms))  # fmt: skip
    return Measured(name, on, "measured", "here", m, rank=rank, to_mobilenetv2=compare_latencies(m, YARDSTICK))


def table(*rows):
    return measurement_table(Measurements(rows))


def test_a_ratio_is_shown_with_its_interval_and_a_tie_as_one():
    text = table(row("fast", (1, 1), 0.5), row("same", (2, 3), 1.0))
    assert "0.50 (0.50-0.50)" in text
    assert "1.00 (1.00-1.00), tie" in text
    assert re.search(r"^ *1 +fast .*\n *2-3 +same ", text, re.M)
    assert "median of 3 campaigns" in text
    assert "grade C at best" not in text
    assert "other" not in text


def test_two_devices_on_one_host_have_a_table_each():
    text = table(*(row("net", (1, 1), 1.0, on=on) for on in ("box", "onnxruntime-cpu")))
    assert text.count("rank") == 2
    assert "box: here" in text


def estimated(name, rank, ms, **more):
    cost = Estimate(name, "paper/1", {"ms": ms, "DSP": 2100.0}, "paper", "1", ("All is well.",), (("stem", ms),))
    return Measured(name, "paper", "estimated", "paper/1", cost, rank=(rank, rank), **more)


def test_an_estimate_has_a_table_of_its_own_without_certainty():
    beside = Comparison(0.5, (0.5, 0.5), tie=False)
    rows = [estimated("a", 1, 1.0, to_mobilenetv2=beside, accuracy=0.9, layers={"stem": 1.0}), estimated("b", 2, 2.0)]
    failed = Measured("c", "paper", "estimated", "paper/1", error="it is too round")
    measured, text = table(row("net", (1, 1), 1.0), *rows, failed).split("\n\n")
    assert "grade" in measured
    assert not [word for word in ("measured", "grade", "+-", "max diff", "interval", "p90", "0.50-") if word in text]
    assert re.search(r"^ *1 +a +1 ms +2,100 +0.50 +90.00%$", text, re.M)
    assert "estimated by paper 1; nothing ran. All is well." in text
    assert "c: it is too round" in text
    assert re.search(r"stem +100.0%", text)


def test_targets_are_listed_as_measured_or_estimated():
    box = TargetInfo("box", "k", "measured", "toy 1", "none", threads=4)
    paper = TargetInfo("paper", "k", "estimated", "formula 1", "none")
    text = device_table({"box": box, "paper": paper, "gone": Unusable("not [here]")})
    assert re.search(r"box +toy 1 +fp32 +4 +1 +measured", text)
    assert re.search(r"paper +formula 1 +fp32 +- +1 +estimated", text)
    assert "not [here]" in text


def test_a_long_name_is_not_cut():
    name = "runs/" + "20261126-201655" * 6
    text = table(row(name, (1, 1), 1.0))
    assert "…" not in text
    column, end = text.index("network"), text.index("latency")
    assert name in "".join(line[column:end].strip() for line in text.splitlines()[1:])


def test_a_poor_grade_says_why():
    text = table(row("big", (1, 1), 2.0, "D", memory=0.31, quiet_rounds=2, used_elsewhere=0.75, crowded=0.5))
    assert "too noisy to say (grade D): big" in text
    assert "networks of many weights may be up to 31% off" in text
    assert "other programs used 75% of the processor meanwhile, and left too few cores to big: grade D" in text
    assert "hardly ever as fast as it is known to be" in text


@pytest.mark.parametrize(("limit_ms", "verdict"), [(2.5, "inside the limit of 2.5 ms"), (1.5, "MISSES the limit")])
def test_a_search_ends_with_its_claim(tmp_path, limit_ms, verdict):
    text = summary_text(summarize(written_run(tmp_path / "run", limit_ms=limit_ms)))
    assert text.startswith(f"measured 2 ms +-1.0% (grade A), {verdict}")
    assert re.search(r"^found +90.00% +2 ms +A", text, re.M)
    assert re.search(r"^MobileNetV2 +80.00% +2.1 ms +A +1.05 \(", text, re.M)
    assert f"surgenas.load({str(tmp_path / 'run')!r})" in text


def test_a_search_on_paper_ends_without_certainty(tmp_path):
    costs = {"found": cost_on_paper(2.0), "MobileNetV2": cost_on_paper(3.0)}
    text = summary_text(summarize(written_run(tmp_path / "run", beside={"MobileNetV2": 0.8}, costs=costs)))
    assert text.startswith("estimated 2 ms, inside the limit of 2.5 ms; nothing was timed")
    assert re.search(r"^MobileNetV2 +80.00% +3 ms +1.50$", text, re.M)
    assert not [word for word in ("measured", "grade", "+-", "wall clock") if word in text]


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
