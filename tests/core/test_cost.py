"""Costs: what was only estimated can carry no certainty, in no words and in no file."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.cost import Cost, Effort, Estimate, Failure, show_cost
from surgenas.core.errors import DataError

MS = st.floats(1e-6, 1e6)
NAMES = st.text(max_size=8)
ESTIMATES = st.builds(
    Estimate,
    key=NAMES,
    target=NAMES,
    values=st.dictionaries(st.sampled_from(["cycles", "bytes", "DSP"]), MS).flatmap(
        lambda others: MS.map(lambda ms: {"ms": ms, **others})
    ),
    tool=NAMES,
    version=NAMES,
    assumptions=st.lists(NAMES, max_size=3).map(tuple),
    by_layer=st.lists(st.tuples(NAMES, MS), max_size=3).map(tuple),
)


class Timed:
    """A cost of something that ran, as far as words go."""

    evidence, ms, grade, doubt = "measured", 1.2, "A", 0.008
    interval_ms, ms_grade = (0.9, 1.5), "D"


@settings(deadline=None, max_examples=60)
@given(ESTIMATES)
def test_an_estimate_survives_json(estimate):
    again = Estimate.from_dict(json.loads(json.dumps(estimate.to_dict())))
    assert again == estimate
    assert again.ms == estimate.values["ms"]


@settings(deadline=None, max_examples=60)
@given(ESTIMATES)
def test_an_estimate_has_no_certainty_that_nobody_gave_it(estimate):
    cost: Cost = estimate
    assert (cost.evidence, cost.interval_ms, cost.grade, cost.ms_grade) == ("estimated", None, None, None)
    assert math.isnan(cost.doubt)
    assert cost.is_usable, "it is all that will ever be known"


@settings(deadline=None, max_examples=60)
@given(MS)
def test_an_estimate_is_never_called_measured_or_given_an_interval(ms):
    said = show_cost(Estimate("k", "t", {"ms": ms}, "a tool", "1"))
    assert said.startswith("estimated ")
    assert not {"measured", "+-", "grade", "%"} & {word for word in ("measured", "+-", "grade", "%") if word in said}


def test_costs_in_words():
    assert show_cost(Estimate("k", "t", {"ms": 1.234, "cycles": 5.0}, "a tool", "1")) == "estimated 1.23 ms"
    assert show_cost(Timed()) == "measured 1.2 ms +-25.0% (grade D)", "of the milliseconds, not of the ratio"


def test_an_estimate_without_milliseconds_has_no_latency_to_give():
    with pytest.raises(KeyError, match="ms"):
        _ = Estimate("k", "t", {"cycles": 5.0}, "a tool", "1").ms


def test_an_effort_is_what_a_file_calls_it():
    assert [str(effort) for effort in Effort] == ["learn", "patient", "claim", "confirm"]
    assert Effort("claim") is Effort.CLAIM


def test_a_failure_keeps_its_reason():
    why = DataError("too large")
    assert Failure("k", why).error is why
