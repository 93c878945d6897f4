"""The contract check of accuracy predictors tells what does not keep it."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.accuracy.codes import Ridge
from surgenas.testing.accuracy import check_accuracy_predictor
from tests.accuracy.toys import Links, planted

SPACE = Links()


class Backwards(Ridge):
    def predict(self, archs):
        return 2 * self.mean - super().predict(archs)


class Wild(Ridge):
    def uncertainty(self, archs):
        return np.zeros(len(archs))


def truth(archs):
    return planted(SPACE, archs)


def test_one_that_keeps_it_passes():
    check_accuracy_predictor("ridge", SPACE, truth)


@pytest.mark.parametrize("kind", ["Backwards", "Wild"])
def test_one_that_does_not_is_told(kind):
    with pytest.raises(AssertionError):
        check_accuracy_predictor(f"tests.testing.test_accuracy:{kind}", SPACE, truth)
