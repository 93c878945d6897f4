"""White is one value for a whole data set, of as many bits as its images need."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from surgenas.tasks.depth import Depth, common_white, depth_of, to_bytes


@given(st.lists(st.integers(0, 65535), min_size=1))
def test_whole_numbers_fit_and_no_usual_depth_below_would_hold_them(peaks):
    white = common_white([Depth(True, peak, 65535.0) for peak in peaks])[True]
    assert white in (255, 1023, 4095, 16383, 65535)
    assert max(peaks) <= white
    assert white == 255 or max(peaks) > {1023: 255, 4095: 1023, 16383: 4095, 65535: 16383}[int(white)]


def test_other_numbers_have_their_largest_value_and_at_least_one():
    assert common_white([Depth(False, 0.2, 1.0), Depth(False, 0.7, 1.0)]) == {False: 1.0}
    assert common_white([Depth(False, 3.5, 3.5), Depth(True, 70000, 70000.0)]) == {False: 3.5, True: 70000.0}
    assert common_white([]) == {}


@pytest.mark.parametrize(("kind", "whole"), [(np.uint16, True), (np.int32, True), (np.float32, False)])
def test_the_depth_of_an_image_is_told_from_its_values(kind, whole):
    image = Image.fromarray(np.array([[0, 40], [80, 4000]], dtype=kind))
    assert depth_of(image, {whole: 8000}) == Depth(whole, 4000, 8000)
    for unknown in ({}, {not whole: 8000}):
        assert depth_of(image, unknown) == Depth(whole, 4000, 65535 if whole else 4000)
    assert np.asarray(to_bytes(image, 4000)).tolist() == [[0, 2], [5, 255]]
    assert np.asarray(to_bytes(image, 2000)).tolist() == [[0, 5], [10, 255]], "what is brighter than white is white"


def test_8_bits_have_none_and_what_is_no_number_is_black():
    assert depth_of(Image.new("RGB", (2, 2)), {}) is None
    image = Image.fromarray(np.array([[np.nan, 1.0, np.inf, -np.inf]], dtype=np.float32))
    assert depth_of(image, {}) == Depth(False, 1.0, 1.0)
    assert np.asarray(to_bytes(image, 1.0)).tolist() == [[0, 255, 0, 0]]
