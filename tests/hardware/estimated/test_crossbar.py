"""Crossbars: counts by hand, costs as sums of counts, and what a device file must say."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from surgenas import api
from surgenas.core.cost import AREA, ENERGY, Estimate, Failure
from surgenas.core.errors import UsageError
from surgenas.engine.jobs import job_of
from surgenas.hardware.costs import read_cost
from surgenas.hardware.devices import make_target
from surgenas.hardware.estimated.crossbar import CrossbarTarget, Rates
from surgenas.hardware.target import Job, TimedTarget
from surgenas.report.measure_text import measurement_table
from surgenas.spaces.concat import Concat
from surgenas.testing import check_target
from tests.runs.written import architecture_file

TARGET = CrossbarTarget("chip", Rates(gmacs=1.0, crossbars=0.001), Rates(mbytes=2.0), Rates(crossbars=0.5))
JOB = Job("two", lambda: nn.Sequential(nn.Conv2d(64, 128, 3, padding=1, bias=False), nn.AvgPool2d(4)), (64, 4, 4))
RATES = [field.name for field in fields(Rates)]


def test_a_convolution_of_3_x_3_from_64_to_128_channels_takes_40_crossbars():
    assert TARGET.crossbars(3 * 3 * 64, 128) == 5 * 8 == 40
    assert TARGET.crossbars(128, 16) == 1
    assert TARGET.crossbars(129, 17) == 2 * 2
    assert replace(TARGET, bits=4, columns=64).crossbars(3 * 3 * 64, 128) == 5 * 8


def test_costs_are_sums_of_counts_by_hand():
    """The convolution: 16 x 128 x 576 MACs, 64 x 16 values read and 128 x 16 written. The pooling reads those, writes
    128, and takes no crossbar. Each value is a byte."""
    (cost,) = TARGET.price([JOB])
    assert isinstance(cost, Estimate)
    assert cost.values["crossbars"] == 40
    assert cost.ms == pytest.approx(16 * 128 * 576 / 1e9 + 0.04)
    assert cost.values[ENERGY] == pytest.approx(2 * (1024 + 2048 + 2048 + 128) / 1e6)
    assert cost.values[AREA] == pytest.approx(20)
    assert dict(cost.by_layer) == pytest.approx({"0": cost.ms, "1": 0.0})


def test_half_the_bits_move_half_the_bytes():
    (cost,), (half,) = TARGET.price([JOB]), replace(TARGET, bits=4).price([JOB])
    assert half.values[ENERGY] == pytest.approx(cost.values[ENERGY] / 2)


def test_a_depthwise_convolution_takes_the_room_of_a_full_one():
    (cost,) = TARGET.price([Job("deep", lambda: nn.Conv2d(64, 64, 3, padding=1, groups=64), (64, 4, 4))])
    assert cost.values["crossbars"] == 5 * 4
    assert cost.ms == pytest.approx(16 * 64 * 9 / 1e9 + 0.02), "but computes no more"


def test_it_keeps_the_contract_and_is_no_device(small):
    check_target(TARGET, [JOB, job_of(small.parse("-".join(["k3e3"] * len(small.choices))))])
    assert not isinstance(TARGET, TimedTarget)


def test_an_estimate_has_neither_grade_nor_interval_and_survives_json():
    (cost,) = TARGET.price([JOB])
    assert (cost.evidence, cost.grade, cost.interval_ms) == ("estimated", None, None)
    assert read_cost(json.loads(json.dumps(cost.to_dict()))) == cost
    assert any("modelled" in note for note in cost.assumptions)
    assert all(note.endswith(".") for note in cost.assumptions)


def test_what_it_cannot_count_fails_alone():
    failure, cost = TARGET.price([Job("file", None, (2, 10, 10)), JOB])
    assert isinstance(failure, Failure)
    assert "file is an ONNX file" in str(failure.error)
    assert cost.ms > 0


@given(st.lists(st.floats(0, 1e6), min_size=4, max_size=4), st.sampled_from(RATES), st.floats(0, 1e6))
def test_more_of_a_count_never_costs_less(rates, what, more):
    rate, counts = Rates(*rates), Rates(1.0, 2.0, 3.0, 4.0)
    assert rate(replace(counts, **{what: getattr(counts, what) + more})) >= rate(counts) >= 0


def test_its_key_tells_every_number():
    changed = [{"rows": 64}, {"columns": 64}, {"bits": 4}]
    changed += [{"latency_ms": replace(TARGET.latency_ms, **{name: 7.0})} for name in RATES]
    changed += [{"energy_mj": Rates(gmacs=7.0)}, {"area_mm2": Rates(gmacs=7.0)}]
    assert len({TARGET.key, *(replace(TARGET, **change).key for change in changed)}) == 1 + len(changed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "latency_ms: field required"),
        ("latency_ms = { gmacs = 1 }\nenergy_mj = {}", "area_mm2: field required"),
        ("latency_ms = { gmacs = -1 }\nenergy_mj = {}\narea_mm2 = {}", "gmacs: .*greater than or equal to 0"),
        ("latency_ms = { joules = 1 }\nenergy_mj = {}\narea_mm2 = {}", "joules: .*unexpected"),
        ("latency_ms = {}\nenergy_mj = {}\narea_mm2 = {}", "latency_ms: every network would take 0 ms"),
        ("rows = 0\nlatency_ms = { gmacs = 1 }\nenergy_mj = {}\narea_mm2 = {}", "rows: .*greater than or equal to 1"),
    ],
)
def test_a_file_that_is_wrong_says_what(tmp_path, text, said):
    (tmp_path / "chip.toml").write_text(f'estimator = "crossbar"\n{text}\n')
    with pytest.raises(UsageError, match=said) as caught:
        make_target(str(tmp_path / "chip.toml"))
    assert "\n" not in str(caught.value)


def test_a_network_is_measured_by_the_example_with_columns_that_say_modelled(tmp_path):
    space = Concat(classes=3, resolution=16)
    arch = space.architecture(tuple(choice.options[0] for choice in space.choices))
    found = api.measure([str(architecture_file(tmp_path / "arch.json", arch))], ["crossbar-example"])
    row = found.to_json()["measurements"][0]
    assert row["evidence"] == "estimated"
    assert set(row["values"]) == {"ms", "mJ", "mm2", "crossbars"}
    said = measurement_table(found)
    assert "energy (mJ), modelled" in said
    assert "area (mm2), modelled" in said
    assert f"{row['values']['mm2']:.3g}" in said
    assert "estimated by crossbar model 1; nothing ran" in said
