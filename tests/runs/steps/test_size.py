"""Images as large as the limit allows, and the width of the channels: 1 where that leaves a choice, else narrower."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from surgenas.core.space import SpaceSpec
from surgenas.runs.results import Sized
from surgenas.runs.steps.reach import reach
from surgenas.runs.steps.size import LARGE, NARROWEST, ROOM, WIDE, size

PAPER = {"device": "roofline-example", "resolution": 48}


def sized(run):
    run.record("size", size(run))
    return run


@pytest.fixture
def low_ms(fresh):
    """The smallest network's latency at width 1."""
    return reach(fresh("wide", **PAPER)).low_ms


def test_a_width_or_no_limit_leaves_the_space_as_it_is(fresh, tmp_path):
    assert size(fresh("none", **PAPER)) is None
    assert size(fresh("said", **PAPER, width=0.5, latency_ms=0.4)) is None
    assert fresh("half", width=0.5).width == 0.5
    assert size(fresh("macro", space="macro", latency_ms=0.01)) is None, "it has no width"
    file = tmp_path / "space.json"
    file.write_text(SpaceSpec.of("mobile", {"width": 0.5, "layout": "small"}).to_json())
    assert size(fresh("file", **PAPER, space=str(file), latency_ms=0.4)) is None


def test_a_limit_that_leaves_a_choice_needs_no_other_width(fresh, low_ms):
    for times in (ROOM, 5.0, 100.0):
        run = sized(fresh(f"at {times}", **PAPER, latency_ms=times * low_ms))
        assert run.result(Sized) == Sized(1.0, low_ms)
        assert run.space.width == run.width == 1.0


@pytest.mark.parametrize("times", [1.5, 1.0, 0.8])
def test_a_lower_limit_has_a_narrower_space_that_leaves_one(fresh, low_ms, times, listener):
    run = sized(fresh(progress=listener, **PAPER, latency_ms=times * low_ms))
    assert NARROWEST <= run.width < 1
    assert run.space.width == run.width
    assert reach(run).low_ms <= times * low_ms / ROOM
    wider = again_wider(fresh, run, 1.15)
    assert reach(wider).low_ms > times * low_ms / ROOM, "hardly any wider"
    assert any(f"channels x {run.width:g}" in line for line in listener.said)


def again_wider(fresh, run, factor):
    return fresh("wider", **PAPER, latency_ms=run.config.target.latency_ms, width=factor * run.width)


def test_what_no_width_reaches_has_the_narrowest(fresh, low_ms):
    assert sized(fresh(**PAPER, latency_ms=0.001 * low_ms)).width == NARROWEST


# --- the size of images

OPEN = {"device": "roofline-example", "resolution": 0}
"""Nobody said how large images are."""


def images(folder, side, count=4):
    """Two classes of images of this shorter side."""
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 255, (side, side + 8, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return str(folder)


@pytest.fixture
def large_ms(fresh, tmp_path):
    """The smallest network's latency on large images of two classes, at the channels that are wide enough."""
    how = {"data": images(tmp_path / "known", 16), "resolution": LARGE, "width": WIDE}
    return reach(fresh("large", device="roofline-example", **how)).low_ms


@pytest.mark.parametrize(
    ("side", "times", "resolution"),
    [(LARGE, 1.01 * ROOM, LARGE), (LARGE, 0.99 * ROOM, 64), (LARGE - 1, 1.01 * ROOM, 64), (200, 9 * ROOM, LARGE)],
)
def test_images_are_as_large_as_they_are_where_the_limit_leaves_a_choice(
    fresh, tmp_path, large_ms, side, times, resolution, listener
):
    data = images(tmp_path / "photos", side)
    run = sized(fresh(progress=listener, data=data, latency_ms=times * large_ms, **OPEN))
    assert run.resolution == resolution
    assert any("images are taken at 96 px" in line for line in listener.said) == (resolution == LARGE)
    assert run.width >= WIDE / 1.15 or resolution < LARGE
    assert run.data.resolution == resolution
    assert run.space.input_shape[1] == resolution
    assert reach(run).low_ms <= times * large_ms / ROOM


def test_a_size_that_was_asked_for_or_needs_no_file_stays(fresh, tmp_path, large_ms):
    data = images(tmp_path / "photos", LARGE)
    how = {**OPEN, "latency_ms": 9 * large_ms}
    assert sized(fresh("said", data=data, **{**how, "resolution": 48})).resolution == 48
    assert sized(fresh("digits", **how)).resolution == 24
    assert sized(fresh("free", data=data, **OPEN)).resolution == 64, "no limit asked for"


def test_a_width_that_was_asked_for_stays_on_large_images(fresh, tmp_path, large_ms):
    data = images(tmp_path / "photos", LARGE)
    how = {"data": data, "width": WIDE, **OPEN}
    run = sized(fresh("fits", **how, latency_ms=1.01 * ROOM * large_ms))
    assert (run.resolution, run.width) == (LARGE, WIDE)
    assert size(fresh("does not", **how, latency_ms=0.9 * ROOM * large_ms)) is None
