"""The choice among accuracy predictors: by held-out error, on the same split, never one that explains nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surgenas.accuracy.base import make_accuracy_predictor
from surgenas.accuracy.evaluate import choose
from surgenas.accuracy.explained import Explained
from tests.accuracy.toys import Links, drawn, planted

SPACE = Links()
ARCHS = drawn(SPACE, 25)
NAMES = ("degree", "macs", "params", "ridge")


def predictors(*names):
    return {name: make_accuracy_predictor(name, SPACE) for name in names}


def test_the_number_that_the_samples_were_made_of_is_chosen():
    scores = planted(SPACE, ARCHS)
    model, found = choose(predictors(*NAMES), ARCHS, scores)
    assert found.chosen == found.models[0].name == "degree"
    assert model.predict(ARCHS[:1])[0] == pytest.approx(scores[0], abs=1e-3)
    assert sorted(row.name for row in found.models) == sorted(NAMES)
    errors = [row.error for row in found.models]
    assert errors == sorted(errors)
    assert errors[0] < 0.1 * found.spread
    assert found.models[0].spearman == pytest.approx(1.0, abs=0.01)
    assert found.models[0].a > 0
    assert found.beats_mean
    assert next(row for row in found.models if row.name == "ridge").a is None


def test_what_falls_is_never_chosen_and_said_behind_all_others():
    model, found = choose(predictors(*NAMES), ARCHS, 1.5 - planted(SPACE, ARCHS))
    assert found.chosen == "ridge"
    assert model.refusal == ""
    assert [bool(row.refusal) for row in found.models] == [False, True, True, True]
    assert "degree does not explain these samples" in " ".join(row.refusal for row in found.refused)


def test_where_nothing_explains_nothing_is_chosen():
    for archs, scores in ((ARCHS[:1], [0.5]), (ARCHS, [0.5] * 25)):
        model, found = choose(predictors(*NAMES), archs, np.array(scores))
        assert (model, found.chosen) == (None, "")
        assert len(found.refused) == 4
    assert choose({}, ARCHS, np.full(25, 0.5))[1].chosen == ""


def test_of_scores_by_chance_no_model_knows_more_than_the_mean():
    archs = drawn(SPACE, 60)
    scores = np.random.default_rng(0).normal(0.8, 0.01, 60)
    found = choose(predictors("degree", "ridge"), archs, scores)[1]
    assert found.models[0].error > 0.95 * found.spread
    assert found.beats_mean == (found.models[0].error < found.spread)
    assert not choose(predictors(*NAMES), ARCHS[:2], planted(SPACE, ARCHS[:2]))[1].beats_mean


def test_it_goes_to_json_and_back():
    for count in (2, 25):
        found = choose(predictors(*NAMES), ARCHS[:count], planted(SPACE, ARCHS[:count]))[1]
        assert Explained.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found
