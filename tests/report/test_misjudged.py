"""The worst-judged images on the page: each its part of one picture, names escaped, nothing where nothing is."""

from __future__ import annotations

import re
from base64 import b64decode

from surgenas.report.misjudged import section
from surgenas.tasks.misjudged import Misjudged

FOUND = (
    Misjudged(7, 0, 1, 0.00001, 0.97),
    Misjudged(3, 1, 2, 0.004, 0.6),
    Misjudged(9, 2, 0, 0.3, 0.5),
)
NAMES = ("cat", "dog", "<b>'owl'")


def test_each_image_has_its_part_of_the_picture_and_what_was_said():
    text = section(FOUND, NAMES, b"picture")
    assert re.findall(r"background-position: ([\d.]+)%", text) == ["0.0000", "50.0000", "100.0000"]
    assert "background-size: 300% 100%" in text
    (inlined,) = re.findall(r"base64,([^)]*)\)", text)
    assert b64decode(inlined) == b"picture"
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text)
    assert captions[0] == "<b>cat</b> · under 0.01%<br>said dog · 97%"
    assert captions[1].startswith("<b>dog</b> · 0.40%<br>")
    assert "<b>'owl'" not in text
    assert "&lt;b&gt;&#x27;owl&#x27;" in captions[2]


def test_one_alone_is_the_whole_picture():
    text = section(FOUND[:1], NAMES, b"picture")
    assert "background-size: 100% 100%" in text
    assert "background-position: 0.0000%" in text


def test_of_none_and_of_runs_of_before_nothing_is_said():
    assert section((), NAMES, b"picture") == ""
    assert section(FOUND, NAMES, b"") == ""
