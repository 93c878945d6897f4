"""What `surgenas measure` prints: ratios with intervals, ties, why a number is poor, what was only estimated."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from surgenas.core.cost import Estimate
from surgenas.hardware.timed.comparison import Comparison, compare_latencies
from surgenas.hardware.timed.measurement import Measurement
from surgenas.report.measure_text import BUSY, NOTICED, measurement_table
from surgenas.studies.measure import Measured, Measurements

YARDSTICK = Measurement("m", "d", 1.0, 1.0, 0.01, "A", 10, 1.0, None, "r", 1.0, 0.0, campaigns_ms=(1.0, 1.01, 0.99))


def row(name, rank, ms, grade="A", on="cpu", **context):
    m = Measurement(name, "here", ms, ms, 0.01, grade, 10, ms, None, "r", 1.0, 0.0, context=context,
                    campaigns_ms=(ms, 1.0101 * ms, 0.99 * ms))  # fmt: skip
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


def test_what_is_assumed_of_one_network_alone_stands_by_its_name():
    alike = estimated("a", 1, 1.0)
    said = (*alike.cost.assumptions, "It is round.")
    text = table(alike, estimated("b", 2, 2.0), replace(alike, name="c", cost=replace(alike.cost, assumptions=said)))
    assert "nothing ran. All is well.\nc: It is round." in text


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


def with_cost(found, **changes):
    return replace(found, cost=replace(found.cost, **changes))


def failed(name, evidence="measured"):
    return Measured(name, "cpu", evidence, "here", error="no kernel for [this]")


def test_a_network_that_failed_stays_in_its_place_and_says_why():
    text = table(row("net", (1, 1), 1.0), failed("x[y]"))
    assert re.search(r"^ *1 +net .*\n *- +x\[y\] +failed$", text, re.M)
    assert text.endswith("x[y]: no kernel for [this]")


@pytest.mark.parametrize("evidence", ["measured", "estimated"])
def test_a_target_on_which_everything_failed_has_a_table_all_the_same(evidence):
    text = table(failed("a", evidence), failed("b", evidence))
    assert re.findall(r"^ *- +(\w) +failed$", text, re.M) == ["a", "b"]
    assert "cpu: here" in text
    assert "nothing ran" not in text
    assert "campaigns" not in text


def test_what_is_known_of_a_network_stands_in_its_row():
    known = with_cost(row("net", (1, 1), 2.0), p90_ms=2.5, model_bytes=3_540_000, max_difference=1.2e-6)
    text = table(replace(known, to_mobilenetv2=None))
    assert re.search(r"^ *1 +net +2 ms +1.0% +A +2.5 ms +- +3.5 MB +1.2e-06$", text, re.M)


def test_an_accuracy_has_a_column_as_soon_as_one_network_was_trained():
    plain, trained = row("plain", (2, 2), 2.0), replace(row("trained", (1, 1), 1.0), accuracy=0.9125)
    text = table(plain, trained)
    assert re.search(r"^ *2 +plain .* -$", text, re.M)
    assert re.search(r"^ *1 +trained .* 91.25%$", text, re.M)
    assert "accuracy" not in table(plain)


def test_one_campaign_is_no_median_of_campaigns():
    once = with_cost(row("net", (1, 1), 1.0), campaigns_ms=())
    assert table(once).endswith("cpu: here")


def test_a_very_small_network_says_what_it_takes_back_to_back():
    text = table(with_cost(row("tiny", (1, 1), 0.08), steady_ms=0.05), row("other", (2, 2), 1.0))
    assert "tiny: 0.05 ms back to back; ranked by what it takes in turn with others" in text
    assert text.count("back to back") == 1


def test_latencies_nearer_than_the_widest_noise_floor_are_said_to_tie():
    text = table(with_cost(row("a", (1, 1), 1.0), floor=0.01), with_cost(row("b", (2, 2), 2.0), floor=0.024))
    assert "one network under two names differs by up to 2.4% here: closer latencies tie" in text
    assert "two names" not in table(row("a", (1, 1), 1.0))


@pytest.mark.parametrize(
    ("state", "limit", "said"),
    [("memory", NOTICED, "others use caches"), ("used_elsewhere", BUSY, "other programs used")],
)
def test_others_are_mentioned_from_where_they_matter_on(state, limit, said):
    assert said not in table(row("net", (1, 1), 1.0, **{state: limit}))
    text = table(row("net", (1, 1), 1.0, **{state: limit + 0.01}), row("quiet", (2, 2), 2.0))
    assert said in text
    assert "too few cores" not in text, "others left enough"


def test_shares_of_layers_follow_the_table_each_under_its_networks_name():
    shares = {"/stem": 0.25, "/layers/[0]": 0.75}
    text = table(replace(row("net[1]", (1, 1), 1.0), layers=shares), row("plain", (2, 2), 2.0))
    title, head, *lines = text.split("campaigns in fresh processes\n")[1].splitlines()
    assert title.strip() == "net[1]"
    assert head.split() == ["part", "share", "of", "latency"]
    assert [line.split() for line in lines] == [["/stem", "25.0%"], ["/layers/[0]", "75.0%"]]
