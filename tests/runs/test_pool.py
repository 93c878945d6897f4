"""Every operator at every layer, priced alone: what is missing is missing, what is noisy is asked again."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.methods.selection import OperatorChoice, select
from surgenas.runs.pool import describe_selection, operator_costs
from surgenas.spaces.operators import Shuffle
from surgenas.testing import ToyDevice
from tests.runs.written import BusyDevice, CountingDevice, PickyDevice

SPACE = Shuffle(layout="small", resolution=16, classes=10)


def priced(device, space=SPACE):
    return operator_costs(space, device, seed=0, progress=Progress())


def test_operators_of_one_place_are_priced_together_and_once(monkeypatch):
    monkeypatch.setattr(CountingDevice, "asked", [])
    found = priced(CountingDevice())
    assert found.latency_ms.shape == (len(SPACE.choices), len(SPACE.choices[0].options))
    places = {SPACE.layer_place(i) for i in range(len(SPACE.choices))}
    asked = [keys for keys in CountingDevice.asked if keys]
    assert len(asked) == len(places) < len(SPACE.choices)
    assert all(len(keys) == len(found.names) for keys in asked)
    assert (found.latency_ms > 0).all()


def test_what_cannot_run_has_no_latency_and_says_so():
    found = priced(PickyDevice())
    gone = [name for name, column in zip(found.names, found.latency_ms.T, strict=True) if np.isnan(column).all()]
    assert gone == ["x"]
    rows = {row.operator: row for row in describe_selection(found, select(found, OperatorChoice(keep=2)))}
    assert rows["x"].why == "the device cannot run it"
    assert (rows["x"].latency, rows["x"].kept) == (None, False)
    assert sum(row.kept for row in rows.values()) == 2
    assert all((row.why == "") == row.kept for row in rows.values())


def test_rows_come_by_score_and_what_was_dominated_names_by_whom():
    found = priced(ToyDevice())
    rows = describe_selection(found, select(found, OperatorChoice(keep=1)))
    scores = [row.score or 0.0 for row in rows]
    assert scores == sorted(scores, reverse=True)
    dropped = [row.why for row in rows if not row.kept]
    assert all(why == "its score" or why.endswith("is as large and as fast everywhere") for why in dropped)


def test_noisy_ones_are_asked_again_more_patiently():
    assert np.array_equal(priced(BusyDevice()).latency_ms, priced(ToyDevice()).latency_ms)


def test_a_space_that_was_selected_from_already_is_refused():
    pools = ";".join(["k3", "k5"] + ["k3"] * (len(SPACE.choices) - 2))
    with pytest.raises(UsageError, match="different operators already"):
        priced(ToyDevice(), Shuffle(layout="small", resolution=16, classes=10, pool=pools))
