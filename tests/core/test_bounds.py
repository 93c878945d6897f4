"""Which numbers a setting takes: none of them is infinite, none is not a number."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from surgenas.core.bounds import Finite, NotNegative, Positive, Share

TAKEN = {
    "Positive": (Positive, lambda x: x > 0),
    "NotNegative": (NotNegative, lambda x: x >= 0),
    "Finite": (Finite, lambda x: True),
    "Share": (Share, lambda x: 0 <= x < 1),
}
kinds = pytest.mark.parametrize("name", TAKEN)


def takes(name: str, value: Any) -> bool:
    try:
        TypeAdapter(TAKEN[name][0]).validate_python(value)
    except ValidationError:
        return False
    return True


@kinds
@given(value=st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1 - 2**-53]))
@settings(max_examples=40, deadline=None)
def test_a_number_is_taken_exactly_inside_the_bounds(name, value):
    assert takes(name, value) == TAKEN[name][1](value)


@kinds
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "fast", None, [1.0]])
def test_what_is_no_number_is_refused(name, value):
    assert not takes(name, value)
