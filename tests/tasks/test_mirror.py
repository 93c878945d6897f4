"""What is another thing when it is mirrored is noticed; what merely looks the other way is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps

from surgenas.tasks.mirror import decide_flips, loss_by_mirroring

Draw = Callable[[ImageDraw.ImageDraw, int, int, int], None]
"""Draws a thing around a point: (drawing, x, y, length)."""


def arrow(drawing, x, y, length):
    """To the right."""
    drawing.line([(x - length, y), (x + length, y)], fill=200, width=2)
    drawing.polygon([(x + length, y), (x + length - 6, y - 5), (x + length - 6, y + 5)], fill=200)


def mirrored(thing: Draw) -> Draw:
    """The same to the left, to the pixel: lines that are drawn to the left fall on other pixels."""

    def draw(drawing, x, y, length):
        image = Image.new("L", drawing.im.size, 0)
        thing(ImageDraw.Draw(image), drawing.im.size[0] - 1 - x, y, length)
        drawing.bitmap((0, 0), ImageOps.mirror(image).point(lambda level: 255 * (level > 0)), fill=200)

    return draw


def polygon(corners: int) -> Draw:
    """Lies on a side, and so is its own mirror image."""

    def draw(drawing, x, y, length):
        drawing.regular_polygon((x, y, length), corners, fill=200)

    return draw


def slope(drawing, x, y, length):
    """Rises to the right."""
    drawing.line([(x - length, y + length), (x + length, y - length)], fill=200, width=3)


def seen(things: list[Draw], each: int = 40, size: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy images of things that lie anywhere and are of any size, with their numbers."""
    rng = np.random.default_rng(0)
    images = []
    for thing in things:
        for _ in range(each):
            image = Image.new("L", (size, size), int(rng.integers(0, 80)))
            thing(ImageDraw.Draw(image), *map(int, rng.integers(16, size - 16, 2)), int(rng.integers(9, 14)))
            pixels = np.asarray(image) + rng.normal(0, 15, (size, size))
            images.append(np.repeat(pixels.clip(0, 255).astype(np.uint8)[None], 3, 0))
    return torch.from_numpy(np.stack(images)), torch.arange(len(things)).repeat_interleave(each)


def test_arrows_to_the_left_and_right_are_not_told_apart_with_mirrored_ones():
    loss = loss_by_mirroring(*seen([mirrored(arrow), arrow]))
    assert loss.classes
    assert loss.plain > 0.8
    assert loss.mirrored < 0.65


def test_a_pair_among_many_classes_is_found():
    things = [polygon(3), arrow, polygon(4), polygon(6), mirrored(arrow), slope]
    assert set(loss_by_mirroring(*seen(things)).classes) <= {1, 4} != set()
    assert loss_by_mirroring(*seen(things)).classes


@pytest.mark.parametrize("things", [[polygon(3), polygon(4)], [slope, arrow], [slope, polygon(3), mirrored(arrow)]])
def test_what_is_like_no_other_class_when_mirrored_is_none(things):
    """Also where all of a class look the same way."""
    loss = loss_by_mirroring(*seen(things))
    assert loss.classes == ()
    assert min(loss.plain, loss.mirrored) > 0.8


def test_a_thing_at_the_left_is_not_one_at_the_right():
    images = torch.full((80, 3, 16, 16), 60, dtype=torch.uint8)
    images[:40, :, 4:12, :6], images[40:, :, 4:12, 10:] = 200, 200
    assert loss_by_mirroring(images, torch.arange(2).repeat_interleave(40)).classes == (0, 1)


def test_noise_and_few_images_say_nothing():
    rng = np.random.default_rng(0)
    for count, size in ((4, 8), (200, 16)):
        images = torch.from_numpy(rng.integers(0, 256, (count, 3, size, size)).astype(np.uint8))
        assert loss_by_mirroring(images, torch.arange(count) % 2).classes == ()


def test_the_same_images_give_the_same_answer():
    images, labels = seen([mirrored(arrow), arrow], each=80)
    assert loss_by_mirroring(images, labels) == loss_by_mirroring(images, labels)


@pytest.mark.parametrize(
    ("wanted", "usual", "things", "flipped", "said"),
    [
        ("off", True, [slope, arrow], False, "not mirrored (--flips off)"),
        ("horizontal", False, [slope, arrow], True, "images are mirrored at random (--flips horizontal)"),
        ("horizontal", True, [mirrored(arrow), arrow], True, "images are mirrored at random (--flips horizontal)"),
        ("auto", False, [slope, arrow], False, "not mirrored (mirrored ones would not be what"),
        ("auto", True, [slope, arrow], True, "images are mirrored at random; --flips off turns that off"),
        ("auto", True, [mirrored(arrow), arrow], False, "not mirrored, since mirrored ones pass for another class"),
    ],
)
def test_what_is_done_is_said(wanted, usual, things, flipped, said):
    flips, note = decide_flips(wanted, usual, *seen(things), ("one", "two"))
    assert flips == flipped
    assert said in note
    assert "--flips" in note or not usual
