"""Of what is stored some is measured again; the device has changed if most of that differs by more than noise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surgenas.hardware.timed.comparison import SCALE
from surgenas.hardware.timed.measurement import Measurement
from surgenas.hardware.timed.recheck import CHANGED, draw_for_recheck, has_changed

many = settings(deadline=None, max_examples=60)
STORED = st.sets(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6), max_size=60)


def measurement(ms, half_width=0.01, reference="r"):
    return Measurement("k", "d", ms, ms, half_width, "A", 10, ms, None, reference, 1.0, 0.0)


@many
@given(STORED, st.integers(0, 2**32))
def test_what_is_drawn_is_stored_and_drawn_once_and_again_by_the_same_seed(keys, seed):
    stored = dict.fromkeys(sorted(keys), measurement(1.0))
    drawn = draw_for_recheck(stored, seed)
    assert set(drawn) <= keys
    assert len(drawn) == len(set(drawn))
    assert len(keys) // 20 <= len(drawn) <= len(keys) // 20 + 1
    assert drawn == draw_for_recheck(stored, seed)


@pytest.mark.parametrize("count", [1, 7, 20, 50])
def test_one_in_twenty_is_drawn_on_average_and_every_one_has_its_turn(count):
    """Four standard errors of a share of 1/20, over 2000 draws."""
    stored = dict.fromkeys(map(str, range(count)), measurement(1.0))
    drawn = [draw_for_recheck(stored, seed) for seed in range(2000)]
    counts = [sum(key in keys for keys in drawn) for key in stored]
    assert np.mean(counts) == pytest.approx(100, abs=4 * math.sqrt(100 * 0.95 / count))
    assert min(counts) > 100 - 6 * math.sqrt(95)
    assert max(counts) < 100 + 6 * math.sqrt(95)


@many
@given(st.integers(0, 12), st.integers(0, 12), st.booleans())
def test_a_device_has_changed_if_more_than_half_differ(same, different, faster):
    ms = math.exp(-0.2 if faster else 0.2)
    pairs = [(measurement(1.0), measurement(1.0))] * same + [(measurement(1.0), measurement(ms))] * different
    assert has_changed(pairs) == (different > same)
    assert has_changed([(new, old) for old, new in pairs]) == has_changed(pairs)


@many
@given(st.floats(0.0, 0.3), st.floats(0.0, 0.3), st.floats(-0.5, 0.5))
def test_what_noise_or_a_small_drift_explains_is_no_change(then, now, drift):
    old, new = measurement(1.0, half_width=then), measurement(math.exp(drift), half_width=now)
    explained = max(CHANGED, math.hypot(then, now))
    assert has_changed([(old, new)]) == (abs(math.log(new.ms)) > explained)


def test_each_kind_of_doubt_excuses_a_difference():
    old, new = measurement(1.0), measurement(1.2)
    assert has_changed([(old, new)])
    assert not has_changed([(old, replace(new, floor=0.2))])
    assert not has_changed([(replace(old, context={"memory": 0.2}), new)])
    assert has_changed([(old, measurement(1.0 + 2 * SCALE))])
    assert not has_changed([(old, measurement(1.0 + SCALE, reference="s"))])
