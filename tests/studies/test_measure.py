"""Networks side by side on targets: places, ties, what failed, and the same in JSON."""

from __future__ import annotations

import json
import threading

import pytest

from surgenas import api
from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.report.measure_text import measurement_table
from tests.runs.written import ARCH, ROOFLINE, SMALL, TOY, CountingDevice, architecture_file


@pytest.fixture
def files(tmp_path):
    large = moves.uniform_architecture(SMALL, "k7e6")
    return [str(architecture_file(tmp_path / f"{n}.json", a)) for n, a in (("small", ARCH), ("large", large))]


def test_networks_are_ranked_beside_the_yardstick_of_their_size(files):
    found = api.measure(files, [TOY])
    small, large, yardstick = found.measurements
    assert yardstick.name == "MobileNetV2 16 px"
    assert small.rank == (1, 1)
    assert small.cost.ms < large.cost.ms
    assert small.to_mobilenetv2.ratio == pytest.approx(small.cost.ms / yardstick.cost.ms)
    assert yardstick.to_mobilenetv2 is None
    assert {row.evidence for row in found.measurements} == {"measured"}


def test_another_yardstick_that_is_asked_for_anyway_stands_once(files):
    found = api.measure(files, [TOY], yardstick=files[0])
    assert [row.name for row in found.measurements] == files
    assert [row.rank for row in found.measurements] == [(1, 1), (2, 2)]


def test_every_row_of_json_is_flat_and_holds_its_cost(files):
    rows = json.loads(json.dumps(api.measure(files, [TOY], layers=True).to_json(), allow_nan=False))["measurements"]
    assert all(row["ms"] > 0 and row["grade"] == "A" and len(row["interval"]) == 2 for row in rows)
    assert sum(rows[0]["layers"].values()) == pytest.approx(1.0)


def test_each_target_has_its_rows_and_an_estimate_claims_nothing(files, tmp_path):
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    found = api.measure(files[:1], [TOY, str(tmp_path / "paper.toml")], layers=True)
    assert [row.on for row in found.measurements] == [TOY] * 2 + [str(tmp_path / "paper.toml")] * 2
    timed, on_paper = found.measurements[0], found.measurements[2]
    assert (timed.evidence, on_paper.evidence) == ("measured", "estimated")
    assert (on_paper.cost.grade, on_paper.cost.interval_ms) == (None, None)
    assert sum(on_paper.layers.values()) == pytest.approx(1.0)
    assert on_paper.to_mobilenetv2.interval == (on_paper.to_mobilenetv2.ratio,) * 2
    row = found.to_json()["measurements"][2]
    assert row["evidence"] == "estimated"
    assert not {"grade", "half_width", "max_difference"} & row.keys()
    said = measurement_table(found).split("\n\n")[1]
    assert "estimated by roofline 1; nothing ran" in said
    assert not [word for word in ("measured", "grade", "+-") if word in said]


def test_a_grade_d_is_not_compared(files):
    found = api.measure(files, ["tests.runs.written:HopelessDevice"])
    assert {row.to_mobilenetv2 for row in found.measurements} == {None}
    assert "too noisy to say (grade D)" in measurement_table(found)


def test_a_target_that_is_not_there_is_said_before_anything_is_measured(files, monkeypatch):
    monkeypatch.setattr(CountingDevice, "asked", [])
    with pytest.raises(UsageError, match="unknown device 'no-such'"):
        api.measure(files, ["tests.runs.written:CountingDevice", "no-such"])
    assert CountingDevice.asked == []


def test_on_a_cluster_the_devices_are_asked_at_once(files, monkeypatch):
    both = threading.Barrier(2, timeout=20)

    class There:
        """In place of a cluster whose devices wait for each other."""

        def __init__(self, address: str, device: str) -> None:
            assert (address, device) == ("ray", "one")

        def target(self, name: str) -> object:
            class Waiting(CountingDevice):
                def price(self, *args, **kwargs):
                    both.wait()
                    return super().price(*args, **kwargs)

            return Waiting()

        def close(self) -> None:
            both.abort()

    monkeypatch.setattr("surgenas.studies.measure.Cluster", There)
    found = api.measure(files, ["one", "two"], engine="ray")
    assert [row.on for row in found.measurements] == ["one"] * 3 + ["two"] * 3
    assert both.broken, "the cluster was left"
