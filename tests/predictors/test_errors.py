"""Shares of the latency, or of a tenth of the median where that is more."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.predictors.errors import relative_errors


def test_errors_are_shares_of_the_latency_or_of_a_tenth_of_the_median():
    measured = np.array([0.0, 0.1, 1.0, 2.0, 4.0])  # a tenth of the median: 0.1
    predicted = np.array([0.05, 0.2, 1.5, 1.0, 4.0])
    assert relative_errors(predicted, measured) == pytest.approx([0.5, 1.0, 0.5, 0.5, 0.0])


def test_where_nothing_took_any_time_a_right_prediction_is_not_off():
    assert relative_errors(np.zeros(3), np.zeros(3)).tolist() == [0, 0, 0]
