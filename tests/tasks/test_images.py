"""Pixels of every kind of image that people keep in folders, and a name for each that cannot be read."""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from surgenas.tasks.images import decode, in_threads, read_some, resize_all


def gradient(size=(40, 30)):
    """Left dark, right bright: tells orientation."""
    return np.tile(np.linspace(0, 255, size[0]).astype(np.uint8), (size[1], 1))


def test_every_mode_becomes_three_bytes(tmp_path):
    grey = gradient()
    alpha = np.dstack([grey] * 3 + [np.full_like(grey, 128)])
    variants = {
        "grey.png": Image.fromarray(grey),
        "rgb.jpg": Image.fromarray(np.dstack([grey] * 3)),
        "rgba.png": Image.fromarray(alpha),
        "palette.gif": Image.fromarray(grey).convert("P"),
        "one_bit.png": Image.fromarray(grey).convert("1"),
        "cmyk.jpg": Image.fromarray(np.dstack([grey] * 3)).convert("CMYK"),
        "sixteen.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "sixteen.tif": Image.fromarray(grey.astype(np.uint16) * 257),
        "float.tif": Image.fromarray(grey.astype(np.float32)),
    }
    for name, image in variants.items():
        image.save(tmp_path / name)
        pixels = decode(tmp_path / name, 16)
        assert pixels.shape == (3, 16, 16), name
        assert pixels.dtype == np.uint8, name
        assert pixels[:, :, :4].mean() < 80 < 170 < pixels[:, :, -4:].mean(), name


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(1, lambda x: x), (2, np.fliplr), (3, lambda x: np.rot90(x, 2)), (4, np.flipud),
     (6, lambda x: np.rot90(x, 3)), (8, np.rot90)],
)  # fmt: skip
def test_exif_orientation_is_applied(tmp_path, orientation, turned):
    """Against numpy: a corner that is bright tells all eight apart."""
    pixels = np.zeros((16, 16), dtype=np.uint8)
    pixels[:4, :8] = 255
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(decode(tmp_path / "turned.png", 16)[0], turned(pixels))


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([8, 16, 24]))
@settings(max_examples=25, deadline=None)
def test_any_size_becomes_the_square_that_was_asked_for(tmp_path_factory, width, height, resolution):
    path = tmp_path_factory.getbasetemp() / "any.png"
    Image.new("RGB", (width, height), (10, 200, 90)).save(path)
    pixels = decode(path, resolution)
    assert pixels.shape == (3, resolution, resolution)
    assert (pixels == np.array([10, 200, 90]).reshape(3, 1, 1)).all(), "one colour stays that colour"


def test_the_square_is_cut_from_the_middle(tmp_path):
    """Of a wide image with coloured ends nothing of the ends is left."""
    pixels = np.full((16, 48, 3), 100, dtype=np.uint8)
    pixels[:, :8], pixels[:, -8:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    assert (decode(tmp_path / "wide.png", 16) == 100).all()


def test_pixels_at_their_own_size_are_not_touched(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "same.png")
    assert np.array_equal(decode(tmp_path / "same.png", 16), pixels.transpose(2, 0, 1))


def test_what_is_transparent_in_a_palette_is_what_it_is_below(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 250, 20, 30])
    image.save(tmp_path / "p.png", transparency=0)
    assert decode(tmp_path / "p.png", 8)[:, 0, 0].tolist() == [250, 20, 30]


@pytest.mark.parametrize("top", [255, 4095, 65535])
def test_sixteen_bits_are_scaled_by_the_range_of_their_format(tmp_path, top):
    Image.fromarray(np.full((8, 8), top, dtype=np.uint16)).save(tmp_path / "x.png")
    assert decode(tmp_path / "x.png", 8)[0, 0, 0] == top * 255 // 65535


@pytest.mark.parametrize("fit", ["crop", "pad", "squash"])
@pytest.mark.parametrize("size", [(64, 16), (16, 64)])
def test_all_of_a_long_image_is_seen_unless_it_is_cropped(tmp_path, fit, size):
    """Its ends are red and blue, its middle grey."""
    pixels = np.full((16, 64, 3), 100, dtype=np.uint8)
    pixels[:, :16], pixels[:, -16:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(pixels if size[0] == 64 else pixels.transpose(1, 0, 2)).save(tmp_path / "long.png")
    red, green, blue = decode(tmp_path / "long.png", 16, fit).astype(int)
    seen = (red > 200) & (blue < 50), (blue > 200) & (red < 50), (red == 0) & (green == 0) & (blue == 0)
    assert [int(part.sum()) > 0 for part in seen] == [fit != "crop", fit != "crop", fit == "pad"]
    if fit == "pad":
        assert seen[2].sum() == 12 * 16, "bars of three quarters"


@pytest.mark.parametrize("fit", ["crop", "pad", "squash"])
def test_images_are_resized_as_asked(tmp_path, fit):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "x.png")
    ways = {way: decode(tmp_path / "x.png", 16, fit, way) for way in ("nearest", "bilinear", "bicubic", "lanczos")}
    assert np.array_equal(ways["bicubic"], decode(tmp_path / "x.png", 16, fit))
    assert len({pixels.tobytes() for pixels in ways.values()}) == 4
    assert ways["nearest"].std() > 1.3 * ways["bilinear"].std(), "nothing else but nearest keeps the noise"


@pytest.mark.parametrize("way", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("side", [8, 20])
def test_decoded_images_are_resized_as_files_are(tmp_path, way, side):
    noise = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
    found = resize_all(torch.from_numpy(noise.transpose(0, 3, 1, 2)), side, way)
    assert (found.dtype, found.shape) == (torch.uint8, (3, 3, side, side))
    for i, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / "x.png")
        assert np.array_equal(found[i].numpy(), decode(tmp_path / "x.png", side, "crop", way))


def test_some_files_are_read_at_once_and_what_is_wrong_stands_in_its_place(photos, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"none")
    good = photos / "dark" / "0.png"
    one, wrong, other = read_some([good, tmp_path / "broken.png", good], 8, "crop", "bilinear", {})
    assert np.array_equal(one.pixels, decode(good, 8, "crop", "bilinear"))
    assert np.array_equal(other.pixels, one.pixels)
    assert wrong == "cannot identify image file"


def test_whoever_interrupts_does_not_wait_for_all_files():
    done = []

    def slow(item: int) -> int:
        time.sleep(0.01)
        done.append(item)
        return item

    with suppress(KeyboardInterrupt), in_threads(slow, range(1000)) as answers:
        assert next(answers) == 0
        raise KeyboardInterrupt
    assert len(done) < 500
