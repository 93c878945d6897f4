"""The Comfort Zone against its definition, on devices drawn by hand."""

from __future__ import annotations

import pytest

from surgenas.methods.comfort_zone import Scaled, pick, zone


def points(*rows):
    return [Scaled(scale, ms, macs, 1.0) for scale, ms, macs in rows]


def test_a_device_with_idle_units_has_a_wide_zone_that_ends_where_it_charges():
    found = zone(points((1.0, 1.0, 100), (1.2, 1.0, 140), (1.5, 1.02, 220), (2.0, 1.5, 400)))
    assert [p.scale for p in found] == [1.2, 1.5]
    assert pick(found).scale == 1.5


def test_a_device_that_charges_for_everything_has_none():
    assert zone(points((1.0, 1.0, 100), (1.1, 1.2, 120), (1.2, 1.44, 144))) == []
    assert pick([]) is None


def test_a_scale_that_wastes_what_a_smaller_one_achieved_is_outside():
    """1.3 lost a tenth of the efficiency that 1.2 had reached, at a latency that would still do."""
    rows = points((1.0, 1.0, 100), (1.2, 1.0, 150), (1.3, 1.02, 138))
    assert [p.scale for p in zone(rows)] == [1.2]
    assert [p.scale for p in zone(rows, efficiency_slack=0.1)] == [1.2, 1.3]


def test_the_network_itself_must_be_there():
    with pytest.raises(ValueError, match="scale 1"):
        zone(points((1.2, 1.0, 100)))


def test_units():
    point = Scaled(1.0, latency_ms=2.0, macs=1e6, moved_bytes=4e5, batch=8)
    assert point.flops_per_s == pytest.approx(8e9)
    assert point.intensity == pytest.approx(5.0)
