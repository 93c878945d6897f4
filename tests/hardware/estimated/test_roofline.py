"""A roofline: figures computed by hand, and what a formula must refuse to price."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from surgenas.core.cost import Estimate, Failure
from surgenas.engine.jobs import job_of
from surgenas.hardware.costs import read_cost
from surgenas.hardware.estimated.roofline import RooflineTarget
from surgenas.hardware.target import Job, TimedTarget
from surgenas.nn.cost import LayerWork
from surgenas.testing import check_target

TARGET = RooflineTarget("paper", peak_gmacs=1.0, bandwidth_gbs=1.0, overhead_us=5.0, depthwise_utilisation=0.1)


def two_layers():
    """A dense 3x3 convolution 2 -> 4 without bias, and a depthwise one of 4 channels with bias."""
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=4, padding=1))


JOB = Job("two", two_layers, (2, 10, 10))


def test_it_keeps_the_contract_and_is_no_device(small):
    check_target(TARGET, [job_of(small.parse("-".join([gene] * len(small.choices)))) for gene in ("k3e3", "skip")])
    check_target(replace(TARGET, precision="int8", batch=8), [JOB])
    assert not isinstance(TARGET, TimedTarget)


def test_two_layers_by_hand():
    """Dense: 10 x 10 x 4 x 18 MACs, (200 + 400 + 72) x 4 bytes. Depthwise: 100 x 4 x 9 MACs at a tenth of the peak,
    (400 + 400 + 40) x 4 bytes. At 1 GMAC/s and 1 GB/s that is 7.2 and 2.7 us, 36 and 3.4 us; and 5 us each."""
    (cost,) = TARGET.price([JOB])
    assert isinstance(cost, Estimate)
    assert dict(cost.by_layer) == pytest.approx({"0": 12.2e-3, "2": 41e-3})
    assert cost.ms == pytest.approx(53.2e-3)
    assert (cost.values["macs"], cost.values["bytes"]) == (7200 + 3600, 2688 + 3360)


def test_where_memory_is_slow_it_decides_and_int8_takes_a_quarter():
    slow = replace(TARGET, bandwidth_gbs=0.001, overhead_us=0.0)
    (cost,), (int8,) = slow.price([JOB]), replace(slow, precision="int8").price([JOB])
    assert cost.ms == pytest.approx(6.048)
    assert int8.ms == pytest.approx(6.048 / 4)


def test_a_batch_reads_the_weights_once():
    (cost,) = replace(TARGET, batch=8).price([JOB])
    assert cost.values["bytes"] == 4 * (8 * (200 + 400 + 400 + 400) + 72 + 40)
    assert cost.values["macs"] == 8 * 10800
    assert dict(cost.by_layer)["0"] == pytest.approx((8 * 7.2 + 5) * 1e-3), "the overhead is of a layer, not an image"


def test_an_estimate_has_neither_grade_nor_interval_and_survives_json():
    (cost,) = TARGET.price([JOB])
    assert (cost.evidence, cost.grade, cost.interval_ms) == ("estimated", None, None)
    assert read_cost(json.loads(json.dumps(cost.to_dict()))) == cost
    assert all(note.endswith(".") for note in cost.assumptions)


WORK = st.builds(
    LayerWork,
    st.just("layer"),
    st.sampled_from(["dense", "depthwise", "pooling"]),
    st.integers(0, 10**10),
    st.integers(0, 10**8),
    st.integers(0, 10**8),
)


@given(WORK, st.integers(0, 10**9), st.sampled_from(["macs", "values", "weights"]), st.sampled_from(["fp32", "int8"]))
def test_more_macs_or_bytes_never_cost_less(work, more, what, precision):
    target = replace(TARGET, precision=precision)
    assert target.layer_ms(replace(work, **{what: getattr(work, what) + more})) >= target.layer_ms(work) >= 5e-3


class Attention(nn.Module):
    """A network whose work is in no layer."""

    def forward(self, x_nchw):
        return x_nchw @ x_nchw.transpose(2, 3)


@pytest.mark.parametrize(
    ("job", "named"),
    [
        (Job("file", None, (2, 10, 10)), "file is an ONNX file"),
        (Job("attention", Attention, (2, 10, 10)), "100% of its MACs are in no convolution or linear layer"),
        (Job("tiny", lambda: nn.Conv2d(2, 2, 3), (2, 1, 1)), r"tiny cannot take an image of \(2, 1, 1\)"),
    ],
)
def test_what_it_cannot_count_fails_in_one_line_and_alone(job, named):
    failure, cost = TARGET.price([job, JOB])
    assert isinstance(failure, Failure)
    with pytest.raises(type(failure.error), match=named):
        raise failure.error
    assert "\n" not in str(failure.error)
    assert cost.ms > 0


def test_its_key_tells_every_number():
    changed = [
        {"peak_gmacs": 2.0},
        {"bandwidth_gbs": 2.0},
        {"overhead_us": 2.0},
        {"dense_utilisation": 0.5},
        {"depthwise_utilisation": 0.5},
        {"batch": 2},
        {"precision": "int8"},
    ]
    assert len({TARGET.key, *(replace(TARGET, **change).key for change in changed)}) == 1 + len(changed)
