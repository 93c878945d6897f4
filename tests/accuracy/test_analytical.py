"""A formula of one number: what it returns of exact samples, how it orders noisy ones, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.accuracy.analytical import FORMS, Degree, Depth, Macs, Mass, Params
from surgenas.accuracy.base import predict_held_out
from surgenas.core import moves
from surgenas.nn.cost import count
from surgenas.predictors.evaluate import rank_correlations
from surgenas.spaces.macro import Macro
from tests.accuracy.toys import Links, drawn

SPACE = Links()
ARCHS = drawn(SPACE, 25)


def accuracies(archs, form="exp", a=0.02, b=0.985):
    g = SPACE.indices(archs)["degree"]
    return 1 / (a * FORMS[form](g / SPACE.indices(ARCHS)["degree"].mean()) + b)


@pytest.mark.parametrize("form", FORMS)
def test_exact_samples_give_back_what_they_were_made_of(form):
    model = Degree(SPACE, form=form).fit(ARCHS, accuracies(ARCHS, form))
    assert (model.a, model.b) == (pytest.approx(0.02, abs=1e-6), pytest.approx(0.985, abs=1e-6))
    others = drawn(SPACE, 50, seed=1)
    assert np.allclose(model.predict(others), accuracies(others, form), atol=1e-9)


def test_noisy_samples_are_ordered_by_models_that_have_not_seen_them():
    """25 samples, .3 % noise."""
    noise = 1 + 0.003 * np.random.default_rng(0).normal(size=25)
    scores = accuracies(ARCHS, a=0.05) * noise
    held_out = predict_held_out(Degree(SPACE), ARCHS, scores)
    assert rank_correlations(held_out, scores)[1] >= 0.9
    assert np.sqrt(np.mean((held_out - scores) ** 2)) < 0.005


def test_accuracy_that_falls_with_the_number_is_refused_and_the_mean_is_said():
    scores = 1.5 - accuracies(ARCHS)
    model = Degree(SPACE).fit(ARCHS, scores)
    assert model.a < 0
    assert model.refusal == "degree does not explain these samples: accuracy falls with it"
    assert np.allclose(model.predict(ARCHS[:3]), scores.mean())
    assert model.fit(ARCHS, accuracies(ARCHS)).refusal == "", "of the samples, not for ever"


@pytest.mark.parametrize(
    ("archs", "scores", "says"),
    [
        (ARCHS[:1], [0.5], "degree is the same in all 1 samples"),
        (ARCHS[:3], [0.5, 0.5, 0.5], "accuracy does not change with it"),
        (ARCHS[:3], [0.5, 0.0, 0.6], "a score of 0 has no inverse"),
    ],
)
def test_samples_that_say_nothing_are_refused(archs, scores, says):
    model = Degree(SPACE).fit(archs, np.array(scores))
    assert says in model.refusal
    assert np.allclose(model.predict(ARCHS[:2]), np.mean(scores))


def test_networks_without_links_have_no_mass_and_count_as_having_little():
    space = Links(cells=1)
    archs = list(moves.enumerate_all(space))
    mass = space.indices(archs)["mass"]
    assert mass.min() == 0
    model = Mass(space).fit(archs, 0.5 + mass / 100)
    predicted = model.predict(archs)
    assert np.isfinite(predicted).all()
    assert predicted[mass == 0].max() <= predicted[mass > mass.mean()].min()


def test_beyond_the_samples_nothing_is_predicted_to_be_endlessly_good():
    """a + b < 0: the line in 1 / accuracy goes through zero."""
    space = Links(cells=1, steps=6)
    archs = sorted(moves.enumerate_all(space), key=lambda arch: space.indices([arch])["degree"][0])
    low = archs[:6]
    model = Degree(space).fit(low, np.linspace(0.1, 0.9, 6))
    assert (model.predict(archs) <= 1.8 + 1e-12).all()
    assert (model.predict(archs) > 0).all()


def test_counted_numbers_are_those_of_the_built_networks():
    macro = Macro()
    archs = drawn(macro, 4)
    known = np.array([count(macro.build(arch), macro.input_shape) for arch in archs])
    assert np.allclose(Macs(macro).numbers(archs), known[:, 0])
    assert np.allclose(Params(macro).numbers(archs), known[:, 1])
    depth = Depth(macro).numbers([macro.parse("00000000"), macro.parse("02012100")])
    assert depth[1] - depth[0] == 3, "five skips remain, of which some compute where they change the shape"
