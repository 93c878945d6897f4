"""The worst-judged images: wrong ones alone, in their order, and thumbnails that stay small whatever they show."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from surgenas.tasks.misjudged import MOST_BYTES, SIDE, Misjudged, thumbnails, worst_judged

LABELS = torch.tensor([0, 1, 1, 0])
LOGITS = torch.tensor([[0.3, 0.7], [0.4, 0.6], [0.9, 0.1], [0.2, 0.8]]).log()


def test_a_small_case_by_hand():
    first, second, third = worst_judged(LOGITS, LABELS)
    assert (first.index, second.index, third.index) == (2, 3, 0)
    assert first == Misjudged(2, 1, 0, pytest.approx(0.1), pytest.approx(0.9))
    assert (second.label, second.said, second.probability) == (0, 1, pytest.approx(0.2))
    assert worst_judged(LOGITS, LABELS, most=1) == (first,)
    assert worst_judged(LOGITS, LOGITS.argmax(1)) == ()


@given(st.lists(st.tuples(st.integers(0, 2), *[st.floats(-5, 5)] * 3), min_size=1, max_size=30), st.integers(1, 6))
@example([(0, 0.0, 0.0, 1e-24)], 1)
@settings(max_examples=30, deadline=None)
def test_nothing_that_is_left_out_is_worse(rows, most):
    labels, logits = torch.tensor([row[0] for row in rows]), torch.tensor([row[1:] for row in rows])
    found = worst_judged(logits, labels, most)
    wrong = (logits.double().argmax(1) != labels).nonzero()[:, 0].tolist()
    own = logits.double().softmax(1).gather(1, labels[:, None])[:, 0]
    assert len(found) == min(most, len(wrong))
    assert [one.probability for one in found] == sorted(own[wrong].tolist())[:most]
    assert all(one.said != one.label and one.said_probability >= one.probability for one in found)


@pytest.mark.parametrize(("resolution", "side"), [(16, 96), (28, 84), (64, 64), (96, 96), (160, SIDE)])
def test_thumbnails_stand_side_by_side_and_small_ones_are_enlarged_in_whole_pixels(resolution, side):
    colours = torch.tensor([[200, 40, 40], [40, 200, 40], [40, 40, 200]], dtype=torch.uint8)
    images = colours[:, :, None, None].expand(3, 3, resolution, resolution)
    found = np.asarray(Image.open(io.BytesIO(thumbnails(images))))
    assert found.shape == (side, 3 * side, 3)
    for i, colour in enumerate(colours.tolist()):
        assert np.abs(found[side // 2, i * side + side // 2].astype(int) - colour).max() < 8


@pytest.mark.parametrize("resolution", [24, 96, 224])
def test_of_ten_images_of_noise_too_they_are_less_than_60_kilobytes_in_text(resolution):
    noise = np.random.default_rng(0).integers(0, 256, (10, 3, resolution, resolution), dtype=np.uint8)
    assert len(thumbnails(torch.from_numpy(noise))) <= MOST_BYTES < 60_000 * 3 / 4
