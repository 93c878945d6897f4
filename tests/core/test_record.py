"""Records: what a step found goes to JSON and back as it was, and what is none says which field is wrong."""

from __future__ import annotations

import json
import math
from dataclasses import MISSING, dataclass, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core.architecture import Architecture, SpaceSpec
from surgenas.core.cost import Estimate
from surgenas.core.errors import CorruptError
from surgenas.core.record import Record
from surgenas.hardware.timed.measurement import Measurement
from surgenas.predictors.score import Score
from surgenas.runs.results import (
    Accuracy,
    Delivered,
    Derived,
    Exported,
    HeldOutLatencies,
    Layer,
    ModelFile,
    OperatorRow,
    Planned,
    Predicted,
    Profiled,
    Reached,
    Rivals,
    Searched,
    Selected,
    Verified,
)
from surgenas.tasks.by_class import ByClass, ClassScore
from surgenas.tasks.misjudged import Misjudged

many = settings(deadline=None, max_examples=40)
NUMBERS = st.floats(-1e9, 1e9)
MS = st.floats(1e-6, 1e6)
COUNTS = st.integers(0, 2**40)
TEXT = st.text(max_size=6)
ARCHS = st.builds(
    Architecture,
    st.builds(SpaceSpec.of, TEXT, st.dictionaries(st.sampled_from(["layout", "width"]), TEXT | COUNTS | NUMBERS)),
    st.lists(TEXT, min_size=1, max_size=3).map(tuple),
)
ESTIMATES = st.builds(
    Estimate, TEXT, TEXT, MS.map(lambda ms: {"ms": ms, "bytes": 2.0}), TEXT, TEXT,
    by_layer=st.lists(st.tuples(TEXT, MS), max_size=2).map(tuple),
)  # fmt: skip
MEASUREMENTS = st.builds(
    Measurement,
    p90_ms=st.none() | MS,
    steady_ms=st.none() | MS,
    campaigns_ms=st.lists(MS, max_size=3).map(tuple),
    context=st.dictionaries(TEXT, TEXT | MS | st.none(), max_size=2),
    **dict.fromkeys(("ms", "ratio", "half_width", "p50_ms", "reference_ms", "max_difference", "floor"), MS),
)
COSTS = ESTIMATES | MEASUREMENTS
SHARES = st.none() | NUMBERS
BY_CLASS = st.builds(
    ByClass,
    st.lists(st.builds(ClassScore, TEXT, COUNTS, SHARES, SHARES, NUMBERS, NUMBERS), max_size=2).map(tuple),
    st.lists(st.tuples(COUNTS, COUNTS, COUNTS), max_size=3).map(tuple),
)
MISJUDGED = st.builds(Misjudged, COUNTS, COUNTS, COUNTS, NUMBERS, NUMBERS)
SCORES = st.builds(Score, TEXT, *[NUMBERS] * 7, *[st.none() | NUMBERS] * 3)


def tuples(of):
    return st.lists(of, max_size=3).map(tuple)


LAYERS = st.builds(Layer, TEXT, TEXT, tuples(COUNTS), NUMBERS, COUNTS, st.none() | NUMBERS)
ROWS = st.builds(OperatorRow, TEXT, *[st.none() | NUMBERS] * 3, st.booleans(), TEXT)
HELD_OUT = st.builds(HeldOutLatencies, tuples(MS), tuples(MS))
FILES = st.builds(ModelFile, TEXT, st.none() | COUNTS, st.none() | TEXT)
DELIVERED = st.builds(Delivered, TEXT, FILES, st.dictionaries(TEXT, TEXT, max_size=2), *[NUMBERS] * 3)
RECORDS = {
    Selected: st.builds(Selected, TEXT, tuples(ROWS)),
    Reached: st.builds(Reached, MS, MS, MS, st.none() | MS),
    Planned: st.builds(Planned, COUNTS, COUNTS, *[MS] * 4, COUNTS),
    Profiled: st.builds(Profiled, COUNTS, tuples(st.none() | NUMBERS)),
    Predicted: st.builds(Predicted, tuples(SCORES), HELD_OUT, st.none() | SCORES, TEXT, TEXT),
    Searched: st.builds(Searched, COUNTS),
    Derived: st.builds(Derived, ARCHS, MS, COSTS, COUNTS),
    Rivals: st.builds(Rivals, st.dictionaries(TEXT, ARCHS, max_size=3)),
    Accuracy: st.builds(Accuracy, NUMBERS, st.none() | NUMBERS, st.none() | BY_CLASS, tuples(MISJUDGED)),
    Exported: st.builds(Exported, NUMBERS, NUMBERS, st.none() | DELIVERED),
    Verified: st.builds(Verified, st.dictionaries(TEXT, COSTS, max_size=3), tuples(LAYERS)),
}


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
@many
@given(data=st.data())
def test_what_a_step_found_survives_a_file(kind, data):
    record = data.draw(RECORDS[kind])
    again = kind.from_json(json.loads(json.dumps(record.to_json())))
    assert again == record
    assert repr(again) == repr(record), "what takes no part in comparisons too"


@pytest.mark.parametrize(
    ("kind", "record", "named"),
    [
        (Reached, {"low_ms": 1.0, "high_ms": 2.0}, "not a Reached: chosen_ms: field required"),
        (Reached, {"low_ms": "slow", "high_ms": 2.0, "chosen_ms": 1.0}, "not a Reached: low_ms: input should be"),
        (Selected, {"pool": "", "operators": [{"operator": "sep_k3"}]}, r"operators\.0\.capacity: field required"),
        (Verified, {"costs": {}, "layers": [7]}, r"not a Verified: layers\.0: "),
        (Searched, [], "not a Searched: the file: "),
        (Searched, None, "not a Searched: the file: "),
    ],
)
def test_what_is_no_record_says_which_field_is_wrong(kind, record, named):
    with pytest.raises(CorruptError, match=named) as caught:
        kind.from_json(record)
    assert "\n" not in str(caught.value)


@many
@given(st.data())
def test_a_record_with_a_field_missing_is_refused_by_its_name(data):
    kind = data.draw(st.sampled_from([kind for kind in RECORDS if kind is not Rivals]))
    record = data.draw(RECORDS[kind]).to_json()
    lost = data.draw(st.sampled_from([field.name for field in fields(kind) if field.default is MISSING]))
    del record[lost]
    with pytest.raises(CorruptError, match=rf"not a {kind.__name__}: {lost}: field required"):
        kind.from_json(record)


def test_a_cost_of_which_nothing_is_known_survives_a_file():
    """Fewer than three rounds have no interval: half_width is infinite."""
    vague = Measurement("k", "d", 1.0, 1.0, math.inf, "D", 2, 1.0, None, "r", 1.0, 0.0)
    record = Verified({"found": vague}, ())
    assert Verified.from_json(json.loads(json.dumps(record.to_json()))) == record


GOOD = Architecture(SpaceSpec("mobile"), ("skip",)).to_dict()
COST = Estimate("k", "t", {"ms": 1.0}, "a tool", "1").to_dict()


@pytest.mark.parametrize(
    "wrong",
    [{"cost": {"tool": "x"}}, {"cost": {"key": "k"}}, {"cost": 7}, {"architecture": {"genes": []}}],
    ids=["half an estimate", "half a measurement", "no cost", "no architecture"],
)
def test_a_nested_value_that_is_none_is_named_too(wrong):
    record = {"architecture": GOOD, "predicted_ms": 1.0, "cost": COST, "rounds": 1}
    assert Derived.from_json(record).rounds == 1
    (field,) = wrong
    with pytest.raises(CorruptError, match=rf"not a Derived: {field}"):
        Derived.from_json(record | wrong)


@dataclass(frozen=True)
class Row(Record):
    """A row of a table."""

    value: float


@dataclass(frozen=True)
class Shown(Record):
    """What a notebook shows."""

    name: str
    rows: tuple[Row, ...] = ()
    plain: tuple[float, ...] = ()


def test_a_notebook_shows_a_table_of_the_fields():
    assert Row(1 / 3)._repr_html_() == "<table><tr><th>value<td>0.333333</table>"


def test_records_of_one_kind_share_a_head():
    shown = Shown("x", (Row(0.5), Row(0.25)), (1.0, 2.5))._repr_html_()
    assert "<table><tr><th>value<tr><td>0.5<tr><td>0.25</table>" in shown
    assert shown.endswith("<tr><th>plain<td>1, 2.5</table>")


@many
@given(st.text(st.sampled_from("<>&\"'ab"), max_size=8))
def test_nothing_that_somebody_named_gets_into_the_page_as_markup(name):
    """Names of operators, classes and targets come from files of others."""
    shown = Shown(f"<script>{name}")._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    plain = Shown("")._repr_html_()
    assert shown.count("<") == plain.count("<")
    keyed = Verified({f"<b>{name}": Estimate("k", "t", {"ms": 1.0}, "a", "1")}, ())._repr_html_()
    assert "<b>" not in keyed
