"""Regressions on codes: what a planted operator is worth, and how sure a process is."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.accuracy.codes import Process, Ridge, SupportVectors
from surgenas.spaces.macro import Macro
from tests.accuracy.toys import Links, drawn

MACRO = Macro()
ARCHS = drawn(MACRO, 60)


def truth(archs):
    return np.array([0.8 + 0.01 * (arch.genes[0] == "k5e6") - 0.02 * (arch.genes[3] == "skip") for arch in archs])


@pytest.mark.parametrize(("kind", "within"), [(Ridge, 0.002), (Process, 0.004), (SupportVectors, 0.008)])
def test_what_single_operators_are_worth_is_learned(kind, within):
    others = drawn(MACRO, 40, seed=1)
    model = kind(MACRO).fit(ARCHS, truth(ARCHS))
    assert np.abs(model.predict(others) - truth(others)).mean() < within < truth(others).std()


def test_scores_in_percent_are_predicted_in_percent():
    small, large = (Ridge(MACRO).fit(ARCHS, scale * truth(ARCHS)).predict(ARCHS) for scale in (1.0, 100.0))
    assert np.allclose(large, 100 * small)


def test_a_process_is_surer_where_it_has_seen_something():
    space = Links(cells=1, steps=8)
    archs = drawn(space, 64)
    low = [arch for arch in archs if float(arch.genes[0]) <= 24]
    scores = np.random.default_rng(0).normal(0.8, 0.01, len(low)) + 0.01 * np.array([float(a.genes[1]) for a in low])
    model = Process(space).fit(low, scores)
    away = [arch for arch in archs if float(arch.genes[0]) >= 48]
    assert model.uncertainty(low).mean() < model.uncertainty(away).mean()
    assert model.uncertainty([]).shape == (0,)
