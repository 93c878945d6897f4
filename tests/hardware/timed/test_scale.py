"""What is known of a reference: the fastest state that the machine keeps coming back to, and how sure that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgenas.hardware.timed.scale import SAME, UNKNOWN, WATCHED_S, Look, know


def looks(*states: float, every_s: float = 30.0) -> list[Look]:
    return [Look(i * every_s, ms) for i, ms in enumerate(states)]


def test_a_machine_in_one_state_is_known_once_it_was_watched_for_long_enough():
    assert know(looks(1.0)).doubt == UNKNOWN
    assert know(looks(1.0, 1.0)).doubt == UNKNOWN
    known = know(looks(1.0, 1.01, *[1.0] * 4, every_s=WATCHED_S / 5))
    assert known.ms == 1.0
    assert known.doubt == pytest.approx(SAME / 3)


def test_a_slow_look_does_not_stretch_the_scale_and_a_lucky_moment_does_not_shorten_it():
    assert know(looks(1.45, 1.0, 1.0, 1.45, 1.0)).ms == 1.0
    assert know(looks(*[1.0] * 20, 0.8)).ms == 1.0, "once in twenty"


def test_of_two_states_the_faster_may_be_the_middle_one_of_three():
    """Until the machine came back to it often enough without ever being faster."""
    assert know(looks(1.45, 1.45, 1.8, 1.8)).doubt == UNKNOWN
    assert know(looks(1.45, 1.8, 1.45, 1.45, 1.8, 1.8)).doubt == UNKNOWN
    assert know(looks(1.45, 1.8, 1.45, 1.8, 1.45, 1.8, 1.45)).doubt == UNKNOWN, "seen four times"
    settled = know(looks(1.0, 1.8, 1.0, 1.45, 1.0, 1.8, 1.0, 1.45, 1.0))
    assert settled.ms == 1.0
    assert settled.doubt < 0.02


def test_looks_hours_apart_are_visits_of_their_own():
    apart = (1.0, 1.0, 1.45, 1.0, 1.0, 1.0)
    assert know(looks(*apart)).doubt == UNKNOWN
    assert know(looks(*apart, every_s=3600)).doubt < 0.02


def test_a_moment_of_another_state_does_not_undo_minutes_in_one():
    assert know(looks(1.25, 1.1, *[1.0] * 11)).doubt < 0.02
    assert know(looks(*[1.0] * 11, 1.3)).doubt < 0.02
    assert know(looks(*[1.0] * 6, 1.3, *[1.0] * 6)).doubt == UNKNOWN, "twice half as long"


def test_a_long_pause_is_not_watched():
    assert know(looks(1.45, 1.45, every_s=3600)).doubt == UNKNOWN


def test_noise_is_no_other_state():
    assert know(looks(1.0, 1.06, 1.0, 1.05, 1.01, 1.0, every_s=90)).doubt < 0.02


def test_looks_that_never_agree_are_not_trusted():
    known = know(looks(1.0, 1.2, 1.5))
    assert known.ms == 1.0
    assert known.doubt == UNKNOWN


@given(st.lists(st.floats(0.5, 5.0), min_size=1, max_size=12), st.floats(0.01, 100.0), st.randoms())
def test_the_unit_and_the_order_of_looks_do_not_matter(states, unit, rng):
    known = know(looks(*states))
    shuffled = looks(*(unit * ms for ms in states))
    rng.shuffle(shuffled)
    scaled = know(shuffled)
    assert min(states) <= known.ms <= max(states)
    assert scaled.ms == pytest.approx(unit * known.ms, rel=0.04)
