"""A score is a value: what an older record lacks is not known."""

from __future__ import annotations

import pytest

from surgenas.core.errors import CorruptError
from surgenas.predictors.score import Score

NUMBERS = {"kendall": 0.9, "spearman": 0.95, "mape": 0.1, "within_5": 0.5, "within_10": 0.8, "rmse_ms": 0.2}


def test_a_score_comes_back_from_json_and_lacks_what_was_not_written():
    found = Score.from_json({"name": "ridge", "fit_seconds": 1.0, **NUMBERS})
    assert (found.mean_ms, found.off, found.near_limit) == (None, None, None)
    assert Score.from_json(found.to_json()) == found
    with pytest.raises(CorruptError, match="kendall"):
        Score.from_json({"name": "ridge"})
