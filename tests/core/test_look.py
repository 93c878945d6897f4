"""How images look to a network goes to JSON and back, and is checked on the way."""

from __future__ import annotations

import json

import pytest

from surgenas.core.errors import CorruptError
from surgenas.core.look import Look


def test_a_look_comes_back_from_json():
    look = Look((0.5, 0.4, 0.3), (0.2, 0.2, 0.1), "bilinear")
    assert Look.from_json(json.loads(json.dumps(look.to_json()))) == look


@pytest.mark.parametrize("change", [{"mean": [0.5]}, {"interpolation": "random"}, {"std": "white"}])
def test_what_is_no_look_is_refused(change):
    with pytest.raises(CorruptError, match="not a Look"):
        Look.from_json(Look((0.5,) * 3, (0.5,) * 3).to_json() | change)
