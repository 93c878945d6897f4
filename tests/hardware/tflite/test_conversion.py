"""The format's own padding, and the order of its axes."""

from __future__ import annotations

import pytest

from surgenas.core.errors import DataError
from surgenas.hardware.tflite.conversion import last, same


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ((8, 3, 1, 1), (1, 1)), ((8, 3, 2, 1), (0, 1)), ((9, 3, 2, 1), (1, 1)), ((8, 3, 1, 2), (2, 2)),
        ((4, 1, 2, 1), (0, 0)),
    ],
)  # fmt: skip
def test_padding_that_keeps_the_size_is_one_more_after_than_before(line, expected):
    assert same(*line) == expected


def test_channels_are_last():
    assert last((1, 3, 4, 5)) == (1, 4, 5, 3)
    assert last((1, 10)) == (1, 10)
    with pytest.raises(DataError, match="values of 3 axes"):
        last((1, 2, 3))
