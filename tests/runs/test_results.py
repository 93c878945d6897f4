"""What a step found goes to the journal and comes back the same, whatever it is."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.core import moves
from surgenas.core.cost import Estimate
from surgenas.core.errors import CorruptError
from surgenas.hardware.timed.measurement import Measurement
from surgenas.predictors.score import Score
from surgenas.runs import results
from surgenas.runs.results import (
    Accuracy,
    Derived,
    Exported,
    HeldOutLatencies,
    Layer,
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
from tests.runs.written import ARCH, SMALL

number, maybe, whole, name = (
    st.floats(-1e6, 1e6),
    st.none() | st.floats(0, 1e6),
    st.integers(0, 2**40),
    st.text(max_size=8),
)
names = st.dictionaries(name, name, max_size=2)
architectures = st.lists(st.sampled_from(SMALL.choices[0].options), min_size=9, max_size=9).map(
    lambda genes: SMALL.architecture(("k3e3", *genes, "skip"))
)
measurements = st.builds(
    Measurement, key=name, device=name, ms=number, ratio=number, half_width=number, grade=st.sampled_from("ABCD"),
    rounds=whole, p50_ms=number, p90_ms=maybe, reference=name, reference_ms=number, max_difference=number, floor=number,
    model_bytes=whole, steady_ms=maybe, campaigns_ms=st.lists(number, max_size=3).map(tuple),
    scale_doubt=number,
    context=st.dictionaries(name, number, max_size=2),
)  # fmt: skip
estimates = st.builds(
    Estimate, key=name, target=name, values=st.fixed_dictionaries({"ms": number}, optional={"cycles": number}),
    tool=name, version=name, assumptions=st.lists(name, max_size=2).map(tuple),
    by_layer=st.lists(st.tuples(name, number), max_size=2).map(tuple),
)  # fmt: skip
costs = measurements | estimates
scores = st.builds(Score, **{"name": name, **{f.name: number for f in fields(Score) if f.name != "name"}})
rows = st.builds(OperatorRow, operator=name, capacity=maybe, latency=maybe, score=maybe, kept=st.booleans(), why=name)
layers = st.builds(
    Layer, name=name, operator=name, out_shape=st.lists(whole, max_size=3).map(tuple), macs=number, params=whole,
    share=maybe,
)  # fmt: skip
found = st.one_of(
    st.builds(Selected, pool=name, operators=st.lists(rows, max_size=2).map(tuple)),
    st.builds(Reached, low_ms=number, high_ms=number, asked_ms=maybe, chosen_ms=number),
    st.builds(
        Planned, epochs=whole, train_epochs=whole, profile_s=number, search_s=number, train_s=number, other_s=number,
        memory_bytes=whole,
    ),
    st.builds(Profiled, samples=whole, held_out_errors=st.lists(maybe, max_size=3).map(tuple)),
    st.builds(
        Predicted, scores=st.lists(scores, max_size=2).map(tuple), ceiling=st.none() | scores, chosen=name, why=name,
        held_out=st.builds(
            HeldOutLatencies, predicted_ms=st.lists(number, max_size=2).map(tuple),
            measured_ms=st.lists(number, max_size=2).map(tuple),
        ),
    ),
    st.builds(Searched, rounds=whole),
    st.builds(Derived, architecture=architectures, predicted_ms=number, cost=costs, rounds=whole),
    st.builds(Rivals, architectures=st.dictionaries(name, architectures, max_size=2)),
    st.builds(Accuracy, accuracy=number),
    st.builds(Exported, max_difference=number, same_class=number),
    st.builds(Verified, costs=st.dictionaries(name, costs, max_size=2), layers=st.lists(layers, max_size=2).map(tuple)),
)  # fmt: skip


@given(found)
@settings(max_examples=150, deadline=None)
def test_every_result_survives_json(result):
    back = type(result).from_json(json.loads(json.dumps(result.to_json(), allow_nan=False)))
    assert back == result
    assert type(back) is type(result)


@given(costs)
@settings(deadline=None)
def test_a_cost_comes_back_as_the_kind_that_it_was(cost):
    back = Derived.from_json(json.loads(json.dumps(Derived(ARCH, 1.0, cost, 1).to_json()))).cost
    assert type(back) is type(cost)
    assert back.evidence == cost.evidence
    assert back.to_dict() == cost.to_dict(), "what is left out of comparisons as well"


def test_the_order_of_networks_is_kept():
    archs = {"found": ARCH, "b": moves.uniform_architecture(SMALL, "skip"), "a": ARCH}
    assert [*Rivals.from_json(json.loads(json.dumps(Rivals(archs).to_json()))).architectures] == ["found", "b", "a"]


def test_the_parts_of_a_plan_add_up():
    assert Planned(1, 1, 1.0, 2.0, 3.0, 4.0, 5).total_s == 10.0


@pytest.mark.parametrize(
    ("kind", "record", "named"),
    [
        (Reached, {"low_ms": 1.0, "high_ms": 2.0}, "chosen_ms"),
        (Reached, {"low_ms": "fast", "high_ms": 2.0, "chosen_ms": 1.0}, "low_ms"),
        (Accuracy, {}, "accuracy"),
        (Accuracy, None, "Accuracy"),
        (Profiled, {"samples": 1, "held_out_errors": ["x"]}, "held_out_errors"),
    ],
)
def test_a_record_that_is_none_is_refused_by_its_field(kind, record, named):
    with pytest.raises(CorruptError, match=named) as error:
        kind.from_json(record)
    assert "\n" not in str(error.value)


def test_all_results_are_frozen():
    kinds = [kind for kind in vars(results).values() if isinstance(kind, type) and kind.__module__ == results.__name__]
    assert len(kinds) > 10
    for kind in kinds:
        assert is_dataclass(kind)
        assert kind.__dataclass_params__.frozen, kind
