"""What came of loading weights is a value that a journal keeps."""

from __future__ import annotations

import pytest

from surgenas.core.errors import CorruptError
from surgenas.nn.loaded import Loaded

FOUND = Loaded("lite0.safetensors", 310, ("classifier.weight", "classifier.bias"))


def test_it_comes_back_from_json():
    assert Loaded.from_json(FOUND.to_json()) == FOUND
    with pytest.raises(CorruptError, match="tensors"):
        Loaded.from_json({**FOUND.to_json(), "tensors": "many"})
