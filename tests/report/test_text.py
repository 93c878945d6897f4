"""What a person reads after measuring: the ratio with its interval, ties, and why a number is poor."""

from __future__ import annotations

import re
from dataclasses import asdict

from surgenas.report.facts import told

from surgenas.core.cost import Estimate
from surgenas.hardware.target import TargetInfo
from surgenas.hardware.timed.measurement import Measurement, compare_latencies
from surgenas.report.text import device_table, measurement_table

YARDSTICK = Measurement("m", "d", 1.0, 1.0, 0.01, "A", 10, 1.0, None, "r", 1.0, 0.0, campaigns_ms=(1.0, 1.01, 0.99))


def row(name, rank, ms, grade="A", **context):
    m = Measurement(name, "here", ms, ms, 0.01, grade, 10, ms, None, "r", 1.0, 0.0, context=context,
                    campaigns_ms=(ms, 1.01 * ms, 0.99 * ms))  # fmt: skip
    beside = compare_latencies(m, YARDSTICK)
    return m.to_dict() | {
        "name": name,
        "on": "cpu",
        "evidence": "measured",
        "rank": rank,
        "to_mobilenetv2": asdict(beside) if beside else None,
    }


def test_a_ratio_is_shown_with_its_interval_and_a_tie_as_one():
    text = measurement_table({"measurements": [row("fast", (1, 1), 0.5), row("same", (2, 3), 1.0)]})
    assert "0.50 (0.50-0.50)" in text
    assert "1.00 (1.00-1.00), tie" in text
    assert re.search(r"^ *1 +fast .*\n *2-3 +same ", text, re.M)
    assert "median of 3 campaigns" in text
    assert "grade C at best" not in text
    assert "other" not in text
    assert told(None) == "-"


def test_two_devices_on_one_host_have_a_table_each():
    rows = [row("net", (1, 1), 1.0) | {"on": on} for on in ("box", "onnxruntime-cpu")]
    text = measurement_table({"measurements": rows})
    assert text.count("rank") == 2
    assert "box: here" in text


def estimated(name, rank, ms, **more):
    cost = Estimate(name, "paper/1", {"ms": ms, "DSP": 2100.0}, "paper", "1", ("All is well.",), (("stem", ms),))
    row = {"name": name, "on": "paper", "evidence": "estimated", "rank": [rank, rank], "device": "paper/1", "ms": ms}
    return row | {"to_mobilenetv2": None} | cost.to_dict() | more


def test_an_estimate_has_a_table_of_its_own_without_certainty():
    beside = {"ratio": 0.5, "interval": (0.5, 0.5), "tie": False}
    rows = [estimated("a", 1, 1.0, to_mobilenetv2=beside, accuracy=0.9, layers={"stem": 1.0}), estimated("b", 2, 2.0)]
    failed = {"name": "c", "on": "paper", "evidence": "estimated", "device": "paper/1", "error": "it is too round"}
    measured, text = measurement_table({"measurements": [row("net", (1, 1), 1.0), *rows, failed]}).split("\n\n")
    assert "grade" in measured
    assert not [word for word in ("measured", "grade", "+-", "max diff", "interval", "p90", "0.50-") if word in text]
    assert re.search(r"^ *1 +a +1 ms +2,100 +0.50 +90.00%$", text, re.M)
    assert "estimated by paper 1; nothing ran. All is well." in text
    assert "c: it is too round" in text
    assert re.search(r"stem +100.0%", text)


def test_targets_are_listed_as_measured_or_estimated():
    device = TargetInfo("box", "k", "measured", "toy 1", "none", threads=4)
    paper = TargetInfo("paper", "k", "estimated", "formula 1", "none")
    text = device_table({"box": device.to_json(), "paper": paper.to_json(), "gone": {"unusable": "not [here]"}})
    assert re.search(r"box +toy 1 +fp32 +4 +1 +measured", text)
    assert re.search(r"paper +formula 1 +fp32 +- +1 +estimated", text)
    assert "not [here]" in text


def test_a_long_name_is_not_cut():
    name = "runs/" + "20261126-201655" * 6
    text = measurement_table({"measurements": [row(name, (1, 1), 1.0)]})
    assert "…" not in text
    column = text.index("network")
    end = text.index("latency")
    assert name in "".join(line[column:end].strip() for line in text.splitlines()[1:])


def test_a_poor_grade_says_why():
    text = measurement_table(
        {"measurements": [row("big", (1, 1), 2.0, "D", memory=0.31, quiet_rounds=2, used_elsewhere=0.75, crowded=0.5)]}
    )
    assert "too noisy to say (grade D): big" in text
    assert "networks of many weights may be up to 31% off" in text
    assert "other programs used 75% of the processor meanwhile, and left too few cores to big: grade D" in text
    assert "hardly ever as fast as it is known to be" in text
