"""Measurements for tests: one of known numbers, and any."""

from __future__ import annotations

from hypothesis import strategies as st

from surgenas.hardware.timed.measurement import Measurement

MS = st.floats(0.01, 100.0)
SHARES = st.floats(0.0, 1.0)
LETTERS = st.sampled_from("ABCD")


def measurement(ms, half_width=0.01, campaigns_ms=()):
    return Measurement("k", "d", ms, ms / 2, half_width, "A", 10, ms, None, "r", 2.0, 0.0, campaigns_ms=campaigns_ms)


@st.composite
def measurements(draw, letters=LETTERS):
    """Of any network on any of two references, pooled or not."""
    ms, scale = draw(MS), draw(st.floats(0.1, 10.0))
    return Measurement(
        key=draw(st.text(min_size=1, max_size=8)),
        device=draw(st.text(max_size=8)),
        ms=ms,
        ratio=ms / scale,
        half_width=draw(st.floats(0.0, 0.5)),
        grade=draw(letters),
        rounds=draw(st.integers(0, 99)),
        p50_ms=draw(MS),
        p90_ms=draw(st.none() | MS),
        reference=draw(st.sampled_from(["r", "s"])),
        reference_ms=scale,
        max_difference=draw(SHARES),
        floor=draw(st.just(0.0) | st.floats(0.0, 0.9)),
        model_bytes=draw(st.integers(0, 2**40)),
        steady_ms=draw(st.none() | MS),
        campaigns_ms=tuple(draw(st.lists(MS, max_size=7))),
        context=draw(st.fixed_dictionaries({}, optional={"memory": st.floats(0.0, 0.3), "crowded": SHARES})),
    )
