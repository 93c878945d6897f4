"""What is known of files stays known as long as they stay as they are, and are decoded in the same way."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest

from surgenas.tasks.images import read
from surgenas.tasks.survey import Survey, see, stamp_of, sums_of


def reader(seen):
    def one(path):
        seen.append(path)
        return read(path, 8, "crop", "bicubic")

    return one


def test_what_is_seen_of_a_picture(photos):
    picture = read(photos / "dark" / "0.png", 8, "crop", "bicubic")
    seen = see(picture, (1, 2))
    assert seen.stamp == (1, 2)
    assert seen.print == hashlib.sha256(picture.pixels.tobytes()).digest()
    assert seen.digest == picture.digest
    assert seen.sums == tuple(picture.pixels.astype(int).sum((1, 2)))
    assert seen.squares == tuple((picture.pixels.astype(int) ** 2).sum((1, 2)))
    assert [part.tolist() for part in sums_of(picture.pixels[None])] == [list(seen.sums), list(seen.squares)]


def test_a_file_is_read_again_only_if_it_changed_or_is_wanted_otherwise(photos, tmp_path):
    path, read_files = photos / "dark" / "0.png", []
    survey = Survey(tmp_path / "there" / "seen.json", "8/crop/bicubic")
    first = survey.see(path, reader(read_files))
    assert first.stamp == stamp_of(path)
    survey.save()
    for how, times in (("8/crop/bicubic", 1), ("9/crop/bicubic", 2)):
        assert Survey(survey.place, how).see(path, reader(read_files)) == first
        assert len(read_files) == times
    os.utime(path, ns=(1, 1))
    again = Survey(survey.place, "8/crop/bicubic").see(path, reader(read_files))
    assert again == replace(first, stamp=(first.stamp[0], 1))
    assert len(read_files) == 3


def test_what_is_wrong_with_a_file_is_not_kept(photos, tmp_path):
    survey = Survey(tmp_path / "seen.json", "")
    assert survey.see(photos / "dark" / "0.png", lambda _: "broken") == "broken"
    assert survey.see(photos / "gone.png", lambda _: "not there") == "not there"
    assert not survey.found


@pytest.mark.parametrize("content", [b"", b"[]", b'{"": {"a": [1]}}'])
def test_a_file_that_is_not_such_a_record_says_nothing(photos, tmp_path, content):
    (tmp_path / "seen.json").write_bytes(content)
    assert Survey(tmp_path / "seen.json", "").known == {}
