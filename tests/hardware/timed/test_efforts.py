"""How much is measured for which effort, and what becomes of the others when one network cannot be measured."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surgenas.core.cost import Effort, Failure
from surgenas.core.errors import DataError, EnvironmentFault, Interrupted, SurgenasError
from surgenas.hardware.target import Job, all_costs
from surgenas.hardware.timed.efforts import PROTOCOLS, price_each
from surgenas.hardware.timed.link import DeviceGone, DeviceLost
from surgenas.testing import toy_device


class Fragile:
    """A device whose campaign fails as a whole if one of some networks is in it."""

    def __init__(self, bad, error=SurgenasError):
        self.bad, self.error, self.asked = set(bad), error, []

    def measure(self, jobs):
        self.asked.append([job.key for job in jobs])
        for job in jobs:
            if job.key in self.bad:
                raise self.error(f"{job.key} fails")
        return all_costs(toy_device().price(jobs))


def job(key):
    return Job(key, lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), (3, 8, 8))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.data())
def test_networks_that_fail_do_not_take_the_others_with_them(count, data):
    keys = [str(i) for i in range(count)]
    bad = data.draw(st.sets(st.sampled_from(keys)))
    device = Fragile(bad)
    found = price_each(device.measure, [job(key) for key in keys])
    assert [cost.key for cost in found] == keys
    for cost in found:
        assert isinstance(cost, Failure) == (cost.key in bad)
        assert not isinstance(cost, Failure) or str(cost.error) == f"{cost.key} fails"
    assert len(device.asked) <= 1 + 2 * len(bad) * math.ceil(math.log2(count)), "halves, not one by one"
    assert max(map(len, device.asked)) == count


def test_nothing_is_measured_twice_when_all_goes_well():
    device = Fragile(())
    price_each(device.measure, [job(key) for key in "abcd"])
    assert device.asked == [["a", "b", "c", "d"]]


def test_nothing_is_asked_for_no_networks():
    device = Fragile(())
    assert price_each(device.measure, []) == []
    assert device.asked == []


@pytest.mark.parametrize("error", [EnvironmentFault, Interrupted])
def test_a_full_disk_and_a_time_limit_are_no_networks_fault(error):
    device = Fragile("b", error)
    with pytest.raises(error, match="b fails"):
        price_each(device.measure, [job(key) for key in "abc"])
    assert len(device.asked) == 1


@pytest.mark.parametrize(("error", "asked"), [(DeviceGone, 1), (DeviceLost, 5), (DataError, 5)])
def test_a_device_that_is_gone_is_asked_nothing_more(error, asked):
    """Dead to greetings too: every network of the rest fails at once, with the reason, instead of by its own tries."""
    device = Fragile("abc", error)
    found = price_each(device.measure, [job(key) for key in "abc"])
    assert len(device.asked) == asked
    assert [(failure.key, type(failure.error)) for failure in found] == [(key, error) for key in "abc"]


def test_a_mistake_in_the_program_itself_is_not_taken_for_a_failing_network():
    with pytest.raises(ZeroDivisionError):
        price_each(Fragile("a", ZeroDivisionError).measure, [job(key) for key in "ab"])


def test_every_effort_has_a_protocol_and_a_surer_one_has_more_campaigns():
    assert PROTOCOLS.keys() == set(Effort)
    assert [PROTOCOLS[effort].campaigns for effort in (Effort.LEARN, Effort.CLAIM, Effort.CONFIRM)] == [1, 3, 5]
    assert not PROTOCOLS[Effort.LEARN].fresh
    assert PROTOCOLS[Effort.CLAIM].fresh, "what is stated is of processes that did nothing else"
    assert PROTOCOLS[Effort.CONFIRM].fresh
    assert max(PROTOCOLS[Effort.PATIENT].backoff_s) > max(PROTOCOLS[Effort.LEARN].backoff_s), "it waits for quiet"
