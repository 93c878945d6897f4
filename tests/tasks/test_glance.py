"""What is known before anything is decoded: classes and sizes, by names and headers."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from surgenas.core.errors import DataError
from surgenas.tasks.glance import LOOKED_AT, Glance, glance


def save(path, *sides):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*sides, 3), np.uint8)).save(path)


def test_classes_are_counted_and_half_of_the_images_are_at_least_so_large(photos):
    assert glance(str(photos), 0.0) == Glance(2, 20), "20 x 24 pixels"
    for i in range(30):
        save(photos / "dark" / f"large{i}.png", 64, 40)
    assert glance(str(photos), 0.0) == Glance(2, 40)


def test_of_many_images_few_are_looked_at(photos, monkeypatch):
    for i in range(300):
        save(photos / "dark" / f"more{i}.png", 8, 8)
    opened = []
    real = Image.open
    monkeypatch.setattr(Image, "open", lambda file: opened.append(file) or real(file))
    assert glance(str(photos), 0.0).side == 8
    assert len(opened) <= 1.5 * LOOKED_AT


def test_what_cannot_be_read_says_nothing_here_and_is_named_when_it_is_decoded(tmp_path):
    for name in ("a", "b"):
        for i in range(3):
            path = tmp_path / name / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"no image")
    assert glance(str(tmp_path), 0.0) == Glance(2, 0)


def test_what_is_not_there_is_said_as_ever(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        glance(str(tmp_path / "none"), 0.0)
