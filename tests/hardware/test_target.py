"""What the rest of the program may ask of a device, and what becomes of networks that fail on it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from surgenas.core.errors import DataError, EnvironmentFault, SurgenasError, UsageError
from surgenas.hardware.target import Job, measure_each
from surgenas.hardware.timed.link import DeviceGone, DeviceLost
from surgenas.testing import ToyDevice

SHAPE = (3, 8, 8)


class Fragile(ToyDevice):
    """A device whose campaign fails as a whole if one of some networks is in it."""

    def __init__(self, bad, error=SurgenasError):
        self.bad, self.error, self.asked = set(bad), error, []

    def measure(self, jobs, **how):
        self.asked.append([job.key for job in jobs])
        for job in jobs:
            if job.key in self.bad:
                raise self.error(f"{job.key} fails")
        return super().measure(jobs, **how)


def job(key):
    return Job(key, lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 10)), SHAPE)


def test_a_job_gives_its_network_ready_to_be_measured():
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5)).train()
    found = Job("x", lambda: network, SHAPE).module
    assert not any(module.training for module in found.modules())
    assert found(torch.ones(1, *SHAPE)).shape == (1, *SHAPE)


def test_a_job_that_is_a_file_has_no_network_to_look_into():
    with pytest.raises(UsageError, match="best is an ONNX file: there is no PyTorch network"):
        _ = Job("best", None, SHAPE, model=lambda batch: b"").module


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.data())
def test_networks_that_fail_do_not_take_the_others_with_them(count, data):
    keys = [str(i) for i in range(count)]
    bad = data.draw(st.sets(st.sampled_from(keys)))
    device = Fragile(bad)
    found = measure_each(device, [job(key) for key in keys])
    assert list(found) == keys
    for key, what in found.items():
        assert isinstance(what, SurgenasError) == (key in bad)
        assert str(what) == f"{key} fails" if key in bad else what.key == key
    assert len(device.asked) <= 1 + 2 * len(bad) * math.ceil(math.log2(count)), "halves, not one by one"
    assert max(map(len, device.asked)) == count


def test_nothing_is_measured_twice_when_all_goes_well():
    device = Fragile(())
    measure_each(device, [job(key) for key in "abcd"])
    assert device.asked == [["a", "b", "c", "d"]]


def test_how_to_measure_is_passed_on_to_every_campaign():
    seen = []

    class Keen(Fragile):
        def measure(self, jobs, **how):
            seen.append(how)
            return super().measure(jobs, **how)

    measure_each(Keen("b"), [job(key) for key in "ab"], seed=3, reuse=True)
    assert seen == [{"seed": 3, "reuse": True}] * 3


def test_a_full_disk_is_nobody_of_the_networks_fault():
    device = Fragile("b", EnvironmentFault)
    with pytest.raises(EnvironmentFault, match="b fails"):
        measure_each(device, [job(key) for key in "abc"])
    assert len(device.asked) == 1


@pytest.mark.parametrize(("error", "asked"), [(DeviceGone, 1), (DeviceLost, 5), (DataError, 5)])
def test_a_device_that_is_gone_is_asked_nothing_more(error, asked):
    """Dead to greetings too: every network of the rest fails at once, with the reason, instead of by its own tries."""
    device = Fragile("abc", error)
    found = measure_each(device, [job(key) for key in "abc"])
    assert len(device.asked) == asked
    assert all(isinstance(found[key], error) for key in "abc")


def test_a_mistake_in_the_program_itself_is_not_taken_for_a_failing_network():
    with pytest.raises(ZeroDivisionError):
        measure_each(Fragile("a", ZeroDivisionError), [job(key) for key in "ab"])
