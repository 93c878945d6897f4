"""Pixels of every kind of image that people keep in folders, and a name for each that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from surgenas.core.errors import DataError
from surgenas.core.progress import Progress, Task
from surgenas.tasks.images import decode, decode_all


def gradient(size=(40, 30)):
    """Left dark, right bright: tells orientation."""
    return np.tile(np.linspace(0, 255, size[0]).astype(np.uint8), (size[1], 1))


def load(
    root: Path, classes: tuple[str, ...] = ("dark", "bright"), max_corrupt: float = 1.0,
    progress: Progress = Progress(),  # noqa: B008  stateless
) -> tuple[Tensor, Tensor, list[str]]:  # fmt: skip
    return decode_all(root, classes, 8, max_corrupt, root.parent / "cache", progress)


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


def test_images_come_class_by_class_in_the_order_of_their_names(photos):
    images, labels, notes = load(photos, ("bright", "dark"))
    assert images.shape == (20, 3, 8, 8)
    assert images.dtype == torch.uint8
    assert labels.tolist() == [0] * 10 + [1] * 10
    assert notes == []
    assert images[:10].float().mean() > 150 > 100 > images[10:].float().mean()
    names = sorted(path for path in (photos / "bright").iterdir())
    assert np.array_equal(images[3].numpy(), decode(names[3], 8))


def test_images_in_folders_below_count_and_hidden_files_do_not(photos):
    (photos / "dark" / "more").mkdir()
    (photos / "dark" / "3.png").rename(photos / "dark" / "more" / "x.PNG")
    (photos / "dark" / ".hidden.png").write_bytes(b"")
    images, _, notes = load(photos)
    assert len(images) == 20
    assert notes == []


class Counter(Progress, Task):
    def __init__(self) -> None:
        self.steps, self.verdict, self.name, self.total = 0, [], "", 0

    def log(self, message: str) -> None:
        self.verdict.append(message)

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        self.name, self.total = name, total
        yield self

    def advance(self, note: str = "") -> None:
        self.steps += 1


def spoil(folder: Path) -> None:
    """Four files that cannot be read, and one that does not claim to be an image."""
    whole = (folder / "0.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "liar.jpg").write_text("hello")
    (folder / "huge.ppm").write_bytes(b"P6 100000 100000 255\n")
    (folder / "notes.txt").write_text("hello")


def test_broken_files_are_named_skipped_and_counted(photos):
    spoil(photos / "dark")
    counter = Counter()
    images, labels, notes = load(photos, progress=counter)
    assert labels.bincount().tolist() == [10, 10]
    assert len(images) == 20
    assert notes[0] == f"1 file(s) under {photos} are not images by name; ignored"
    for name in ("cut.png", "empty.jpg", "liar.jpg", "huge.ppm"):
        (note,) = [note for note in notes if name in note]
        assert note.startswith(f"skipped {photos / 'dark' / name}: ")
        assert note in counter.verdict
    assert (counter.name, counter.total, counter.steps) == ("decode photos", 24, 24)


def test_more_broken_files_than_allowed_are_an_error(photos):
    spoil(photos / "dark")
    assert len(load(photos, max_corrupt=4 / 24)[0]) == 20
    with pytest.raises(DataError, match=r"4 of 24 images under .* cannot be read \(limit 16%, --max-corrupt\): first "):
        load(photos, max_corrupt=0.16)


def test_a_class_of_which_nothing_can_be_read_is_named(photos):
    for path in (photos / "dark").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"class folder .*dark holds no readable image; add images"):
        load(photos)


def test_pixels_that_do_not_fit_into_memory_live_in_a_file(photos, tmp_path):
    small, labels, _ = load(photos)
    cache = tmp_path / "pixels" / "train"
    large, again, _ = decode_all(photos, ("dark", "bright"), 8, 1.0, cache, Progress(), in_memory=small.nbytes - 1)
    assert torch.equal(large, small)
    assert torch.equal(again, labels)
    assert np.array_equal(np.load(cache.with_suffix(".npy")), small.numpy())
    decode_all(photos, ("dark", "bright"), 8, 1.0, tmp_path / "none" / "train", Progress(), in_memory=small.nbytes)
    assert not (tmp_path / "none").exists()
