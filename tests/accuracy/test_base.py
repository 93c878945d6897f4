"""Accuracy predictors are judged on samples that they did not learn from, all on the same ones."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.accuracy.base import AccuracyPredictor, predict_held_out
from surgenas.core.errors import UsageError
from tests.accuracy.toys import Links, drawn

SPACE = Links()
ARCHS = drawn(SPACE, 12)


class Mean(AccuracyPredictor):
    """Says the mean of what it learned from, and keeps it."""

    seen: list[frozenset[float]] = []  # noqa: RUF012  of all of them

    def learn(self, archs, scores_N):
        self.mean = scores_N.mean()
        self.seen.append(frozenset(scores_N.tolist()))

    def predict(self, archs):
        return np.full(len(archs), self.mean)


def test_what_is_held_out_was_not_learned_from_and_folds_are_the_same_for_all():
    scores = np.arange(12.0)
    folds = []
    for _ in range(2):
        Mean.seen.clear()
        predicted = predict_held_out(Mean(SPACE), ARCHS, scores)
        folds.append([set(scores) - set(seen) for seen in Mean.seen])
    assert folds[0] == folds[1]
    assert sorted(len(aside) for aside in folds[0]) == [2, 2, 2, 3, 3]
    for aside in folds[0]:
        rest = [score for score in scores if score not in aside]
        assert np.allclose(predicted[[int(score) for score in aside]], np.mean(rest))


def test_the_error_is_that_of_the_held_out_samples_and_infinite_where_there_are_too_few():
    scores = np.arange(12.0)
    fitted = Mean(SPACE).fit(ARCHS, scores)
    expected = np.sqrt(np.mean((predict_held_out(fitted, ARCHS, scores) - scores) ** 2))
    assert fitted.held_out_error == pytest.approx(expected)
    assert (fitted.uncertainty(ARCHS[:2]) == fitted.held_out_error).all()
    assert fitted.fit(ARCHS[:2], scores[:2]).held_out_error == float("inf")


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, float("nan")]])
def test_samples_that_will_not_do_are_refused(scores):
    with pytest.raises(UsageError, match="expected a finite score for each, one or more"):
        Mean(SPACE).fit(ARCHS[:2] if scores else [], np.array(scores))
