"""Differences of means, and what is said of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from surgenas.core.significance import difference, relative_improvement


def test_it_is_welchs_interval():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1.0, 2.0, 7), rng.normal(0.5, 0.5, 12)
    found = difference(a, b)
    known = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
    assert found.value == pytest.approx(a.mean() - b.mean())


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ([3.0, 3.1, 3.2], [1.0, 1.1, 1.2], "better"),
        ([1.0, 1.1, 1.2], [3.0, 3.1, 3.2], "worse"),
        ([1.0, 1.1, 1.2], [1.05, 1.15, 1.1], "within noise"),
        ([3.0], [1.0, 1.1], "unknown: one value"),
        ([2.0, 2.0], [2.0, 2.0], "within noise"),
    ],
)
def test_it_is_said_in_words(ours, theirs, said):
    found = difference(ours, theirs)
    assert found.verdict == said
    assert found.to_dict()["said"] == said
    assert found.to_dict()["low"] is None or not math.isnan(found.low)


def test_equal_results_are_not_known_better_than_one_image_allows():
    assert difference([0.5, 0.5], [0.49, 0.49], step=0.01).verdict == "within noise"
    assert difference([0.5, 0.5], [0.49, 0.49]).verdict == "better"


def test_relative_improvement_is_in_percent_of_random():
    found = relative_improvement([97.0, 97.2, 97.1], [96.0, 96.2, 96.1])
    assert found.value == pytest.approx(100 * (97.1 - 96.1) / 96.1)
    plain = difference([97.0, 97.2, 97.1], [96.0, 96.2, 96.1])
    assert found.low == pytest.approx(plain.low * 100 / 96.1)
