"""The contract checks of targets and runtimes: a good one passes, and one that breaks a single promise is found."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core.cost import Estimate, Failure
from surgenas.core.errors import DataError, UsageError
from surgenas.hardware.runtimes import Runtime
from surgenas.hardware.target import Job, TargetInfo
from surgenas.testing.doubles import ToyDevice
from surgenas.testing.targets import check_runtime, check_target

JOBS = [Job(f"conv{width}", lambda width=width: nn.Conv2d(3, width, 3), (3, 8, 8)) for width in (4, 8)]


def device(**members):
    """A simulated device that does all as a good one, but for these."""
    return type("Device", (ToyDevice,), members)()


def each(**changes):
    """A device whose measurements differ in these fields."""
    return device(measured=lambda self, job, effort: replace(ToyDevice.measured(self, job, effort), **changes))


def described(**changes):
    return device(describe=lambda self: replace(ToyDevice.describe(self), **changes))


def estimated(job, **changes):
    return Estimate(job.key, "toy/1", {"ms": 1.0}, "paper", "1", ("All is well.",), **changes)


def paper(cost=estimated, **members):
    """The same as an estimator: nobody can calibrate it."""
    return device(
        calibrate=None,
        describe=lambda self: replace(ToyDevice.describe(self), evidence="estimated"),
        measured=lambda self, job, effort: cost(job),
        **members,
    )


@dataclass(frozen=True)
class Priced(TargetInfo):
    """It says more than JSON brings back."""

    price: float = 1.0


class Graded(Estimate):
    """A grade of what never ran."""

    grade = "A"


def test_a_device_that_is_timed_and_an_estimator_pass():
    check_target(device(), JOBS)
    check_target(paper(), JOBS)


BROKEN_TARGETS = {
    "it describes itself by another name": described(name="other"),
    "it describes itself by another key": described(key="toy/2"),
    "its description is lost in JSON": device(describe=lambda self: Priced(**vars(ToyDevice.describe(self)))),
    "its layers take half of the latency": device(layer_shares=lambda self, job: {"/stem": 0.5}),
    "costs come in another order": device(price=lambda self, jobs: ToyDevice.price(self, jobs)[::-1]),
    "a cost is missing": device(price=lambda self, jobs: ToyDevice.price(self, jobs)[:1]),
    "a network takes no time": each(ms=0.0, ratio=0.0),
    "its costs are another target's": each(device="toy/2"),
    "it says estimated and measures": described(evidence="estimated"),
    "it counts units that its costs have not": device(units=("ms", "cycles")),
    "its costs count units that it does not tell": paper(
        lambda job: replace(estimated(job), values={"ms": 1.0, "cycles": 9.0})
    ),
    "a measurement has no grade": each(grade=None),
    "an estimate has a grade": paper(lambda job: Graded(**vars(estimated(job)))),
    "a cost is lost in JSON": paper(lambda job: estimated(job, by_layer=[("stem", 1.0)])),
    "it leaves its scale for another reference": each(reference="another"),
    "it leaves its scale for another millisecond": device(calibrate=lambda self, job: ("toy-reference", 2.0)),
    "a latency is not the ratio on that scale": each(ms=3.0),
}


@pytest.mark.parametrize("what", BROKEN_TARGETS)
def test_a_target_that_breaks_a_promise_is_found(what):
    with pytest.raises(AssertionError):
        check_target(BROKEN_TARGETS[what], JOBS)


def test_a_network_without_a_cost_says_why_by_its_own_error():
    failing = device(measured=lambda self, job, effort: Failure(job.key, DataError("no kernel for this")))
    with pytest.raises(DataError, match="no kernel for this"):
        check_target(failing, JOBS)


class Plain(Runtime):
    """A runtime without a format of its own: what it converts are the weights of the one network that it knows."""

    name, version = "plain", "1"
    factor = 1.0

    def convert(self, network, input_shape, batch):
        torch.save(network.state_dict(), sink := io.BytesIO())
        return sink.getvalue()

    def prepare(self, model, images, threads, precision):
        layers = (nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))
        network = nn.Sequential(*layers).eval()
        if model.startswith(b"PK"):
            network.load_state_dict(torch.load(io.BytesIO(model)))
        else:
            self.refuse()

        def call():
            with torch.no_grad():
                return self.factor * network(torch.from_numpy(images)).numpy()

        return call

    def refuse(self):
        raise DataError("plain: no weights")


def runtime(**members):
    """A runtime that does all as a good one, but for these."""
    return type("Broken", (Plain,), members)()


def refusing(error):
    def refuse(self, *arguments, **how):
        raise error

    return refuse


def answering(change):
    """A runtime whose answers are changed before they are given."""

    def prepare(self, model, images, threads, precision):
        call = Plain.prepare(self, model, images, threads, precision)
        return lambda: change(call())

    return runtime(prepare=prepare)


def once(self, model, images, threads, precision):
    """It looks at the images when they are prepared, and never again."""
    return Plain.prepare(self, model, images.copy(), threads, precision)


def telling(**times):
    return runtime(layer_times_ms=lambda self, model, images, threads, precision, runs: times)


@pytest.mark.parametrize(
    "good",
    [
        runtime(),
        telling(stem=0.25, head=0.0),
        runtime(precisions=("fp32", "int8"), quantize=lambda self, model, calibration: model),
    ],
    ids=["plain", "with times of layers", "with int8"],
)
def test_a_good_runtime_passes(good):
    check_runtime(good)


BROKEN_RUNTIMES = {
    "it has no name": runtime(name=""),
    "it has no version": runtime(version=""),
    "it has no fp32": runtime(precisions=("int8",), quantize=lambda self, model, calibration: model),
    "the processor lacks fp32": runtime(missing_feature=lambda self, precision: "avx9"),
    "it computes something else": runtime(factor=1.01),
    "it never looks at the images again": runtime(prepare=once),
    "its logits are in another shape": answering(lambda logits: logits[None]),
    "its logits are of another type": answering(lambda logits: logits.astype(np.float64)),
    "nonsense is a model": runtime(refuse=lambda self: None),
    "nonsense hits a fault of its own": runtime(refuse=refusing(AttributeError("'NoneType' has no attribute 'run'"))),
    "int8 is neither told nor refused": runtime(quantize=lambda self, model, calibration: model),
    "int8 is refused by another error": runtime(quantize=refusing(RuntimeError("plain: no int8"))),
    "int8 is refused in nobody's name": runtime(quantize=refusing(UsageError("no int8"))),
    "int8 is refused in two lines": runtime(quantize=refusing(UsageError("plain:\nno int8"))),
    "times of layers are refused in nobody's name": runtime(layer_times_ms=refusing(UsageError("no layers"))),
    "times of layers are none": telling(),
    "a layer takes less than nothing": telling(stem=0.5, head=-0.1),
}


@pytest.mark.parametrize("what", BROKEN_RUNTIMES)
def test_a_runtime_that_breaks_a_promise_is_found(what):
    with pytest.raises(AssertionError):
        check_runtime(BROKEN_RUNTIMES[what])
