"""The network as boxes: sizes and shades say what they should, skipped layers are empty, names are escaped."""

from __future__ import annotations

import re

from surgenas.report.boxes import TALL, WIDE, network_drawing
from surgenas.runs.results import Layer

LAYERS = (
    Layer("stem", "fixed", (8, 16, 16), 1e6, 10, 0.4),
    Layer("<b>", "k3e3", (32, 8, 8), 2e6, 20, 0.8),
    Layer("two", "skip", (32, 8, 8), 0.0, 0, None),
    Layer("head", "fixed", (10,), 1e3, 5, 0.0),
)


def boxes(text):
    found = re.findall(r'width="([\d.]+)" height="([\d.]+)" rx="2" (.*?)/>', text)
    return [(float(width), float(height), rest) for width, height, rest in found]


def test_a_box_is_as_tall_as_its_image_and_as_wide_as_its_channels():
    stem, middle, skipped, head = boxes(network_drawing(LAYERS))
    assert (stem[1], middle[1], middle[0]) == (TALL, TALL / 2, WIDE)
    assert skipped[2] == 'class="none"'
    assert middle[2] == 'fill-opacity="0.90"'
    assert stem[2] == 'fill-opacity="0.51"'
    assert head[2] == 'fill-opacity="0.12"'


def test_resolutions_are_told_where_they_change_and_names_are_escaped():
    text = network_drawing(LAYERS)
    assert re.findall(r">(\d+ px)<", text) == ["16 px", "8 px"]
    assert "&lt;b&gt;: k3e3, output 32 x 8 x 8, 2.00 MMACs, 80.0% of the latency" in text
    assert "<b>" not in text


def test_without_shares_all_boxes_are_alike_and_without_parts_there_is_none():
    plain = [Layer(row.name, row.operator, row.out_shape, row.macs, row.params, None) for row in LAYERS[:2]]
    assert {rest for _, _, rest in boxes(network_drawing(plain))} == {'fill-opacity="0.30"'}
    assert network_drawing(()) == ""
