"""Integers stand for the values nearest to them, and a file is what LiteRT reads."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from surgenas.hardware.tflite.writer import Scale, Writer
from tests.hardware.tflite.compared import operators


def test_integers_are_the_nearest_and_stay_in_their_type():
    scale = Scale(np.array([0.5]), zero_point=3)
    assert scale.integers(np.array([0.0, 0.6, -1.0, 1e6]), np.int8).tolist() == [3, 4, 1, 127]
    assert scale.values(np.array([3, 5], np.int8)).tolist() == [0.0, 1.0]


def test_each_slice_has_a_scale_of_its_own():
    scale = Scale(np.array([1.0, 0.1]), axis=1)
    assert scale.integers(np.array([[2.0, 2.0]]), np.int8).tolist() == [[2, 20]]


def test_what_is_written_is_read_in_its_order():
    writer, scale = Writer(), Scale(np.array([0.1]))
    first, middle, final = (writer.tensor(name, (1, 2), np.int8, scale) for name in ("a", "b", "c"))
    writer.operator("RELU", [first], [middle])
    writer.operator("ADD", [middle, first], [final], "AddOptions")
    file = writer.finish([first], [final])
    assert file[4:8] == b"TFL3"
    assert operators(file) == ["RELU", "ADD"]
