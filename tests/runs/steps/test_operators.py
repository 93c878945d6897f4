"""The first step of a method that wants a device's operators; of others it finds nothing."""

from __future__ import annotations

import pytest

from surgenas.core.errors import UsageError
from surgenas.runs.steps.operators import choose_operators

HOW = {"method": "hurricane", "space": "shuffle"}


def test_operators_are_selected_for_a_method_that_wants_it(fresh, listener):
    run = fresh(progress=listener, method_settings={"keep": 2}, **HOW)
    found = choose_operators(run)
    assert sum(row.kept for row in found.operators) == 2
    assert found.pool.split(",") == [row.operator for row in found.operators if row.kept]
    assert any("operators for toy" in line for line in listener.said)
    run.record("operators", found)
    assert run.space.choices[0].options == tuple(found.pool.split(","))


def test_what_the_device_cannot_run_is_said(fresh, listener):
    run = fresh(progress=listener, device="tests.runs.written:PickyDevice", method_settings={"keep": 2}, **HOW)
    assert "x" not in choose_operators(run).pool.split(",")
    assert any("toy cannot run x everywhere: it is left out" in line for line in listener.said)


def test_there_is_nothing_to_find_where_nobody_asks(fresh):
    assert choose_operators(fresh("surgenas")) is None
    assert choose_operators(fresh("all", method_settings={"keep": 4}, **HOW)) is None, "the whole pool is kept"
    assert choose_operators(fresh("selected", space_settings={"pool": "k3,k5"}, **HOW)) is None


def test_more_operators_to_keep_than_there_are(fresh):
    with pytest.raises(UsageError, match="--set keep=5: expected 1 to 4"):
        choose_operators(fresh(method_settings={"keep": 5}, **HOW))
