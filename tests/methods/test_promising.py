"""The best predicted networks: all that there are, points of a box, or what evolves; always inside, never known."""

from __future__ import annotations

import numpy as np
import pytest

from surgenas.accuracy.analytical import Degree, Depth
from surgenas.accuracy.codes import Ridge
from surgenas.core import moves
from surgenas.core.trial import Trial
from surgenas.methods import promising
from surgenas.methods.base import allow_all
from surgenas.methods.evolution import Evolution
from surgenas.methods.inside import Inside
from surgenas.methods.promising import find_promising, grid_of
from surgenas.spaces.concat import Concat
from surgenas.spaces.macro import Macro
from tests.accuracy.toys import Links, Megas, drawn, planted

BRIEF = Evolution(population=20, generations=5, mutations=10, crossovers=5, draws=100)
SPACE = Links()
"""4,096 networks."""
LARGE = Links(steps=8)
"""262,144 networks: too many for a list."""


def inside_of(space, share=0.3):
    predictor = Megas(space.costs())
    ms = predictor.predict(moves.encode(space, drawn(space, 300)))
    return Inside(space, predictor, lambda: float(np.quantile(ms, share)))


def known_of(space):
    """A model, and its history."""
    archs = drawn(space, 25, seed=3)
    model = Degree(space).fit(archs, planted(space, archs))
    return model, [Trial.of(space, arch, 0.5) for arch in archs]


@pytest.mark.parametrize("space", [SPACE, LARGE])
def test_the_best_that_are_new_and_inside_come_first(space):
    model, _ = known_of(space)
    inside = inside_of(space)
    archs = list(moves.enumerate_all(SPACE)) if space is SPACE else drawn(LARGE, 3000)
    archs = [arch for arch, ok in zip(archs, inside(archs), strict=True) if ok]
    truth = sorted(model.predict(archs), reverse=True)
    rng = np.random.default_rng(0)
    found = find_promising(space, model, [], 5, inside, rng)
    assert inside(found).all()
    said = model.predict(found).tolist()
    assert said == sorted(said, reverse=True)
    assert said == pytest.approx(truth[:5]) if space is SPACE else said[-1] >= truth[0]
    again = find_promising(space, model, [Trial.of(space, arch, 0.9) for arch in found[:3]], 5, inside, rng)
    assert again[:2] == found[3:5]


def test_of_many_points_that_are_one_network_it_counts_once():
    space = Concat(cells=1, widths="4,6,8", depths="3,4", links="0,50,60,70,80,90")
    archs = drawn(space, 8)
    model = Degree(space).fit(archs, 0.8 + 0.001 * space.indices(archs)["degree"])
    inside = Inside(space, Megas(space.costs()), lambda: 1e9)
    grid = grid_of(space, model, inside)
    found = promising._of_grid(space, grid, 10, inside, set())
    keys = {moves.canonical_key(space, arch) for arch in found}
    assert len(keys) == len(found) == 10
    every = {moves.canonical_key(space, arch): float(model.predict([arch])[0]) for arch in moves.enumerate_all(space)}
    assert sorted(every.values(), reverse=True)[:10] == pytest.approx(model.predict(found).tolist())


def test_what_is_no_box_evolves(monkeypatch):
    """So does a box whose limit is known of whole networks alone."""
    monkeypatch.setattr(promising, "find_best", None)
    monkeypatch.setattr(promising, "EVOLUTION", BRIEF)
    model, history = known_of(LARGE)
    inside = inside_of(LARGE)
    found = find_promising(LARGE, model, history, 5, lambda archs: inside(archs), np.random.default_rng(0))
    assert len(found) == 5
    assert inside(found).all()
    assert not {arch.key for arch in found} & {trial.key for trial in history}
    archs = drawn(LARGE, 2000)
    random = [arch for arch, ok in zip(archs, inside(archs), strict=True) if ok]
    assert model.predict(found).min() > np.quantile(model.predict(random), 0.9)


def test_a_grid_needs_numbers_a_model_and_a_latency_in_between():
    model, _ = known_of(LARGE)
    inside = inside_of(LARGE)
    assert grid_of(LARGE, model, inside).size == moves.size(LARGE)
    assert grid_of(LARGE, model, allow_all) is None
    assert grid_of(LARGE, Depth(LARGE), inside) is not None, "all its points are options"
    assert grid_of(Macro(), model, inside) is None
    huge, many = Links(steps=12), Links(cells=5, steps=5)
    for kind in (Depth, Ridge):
        assert grid_of(huge, kind(huge), inside_of(huge)) is None, "three million points"
    assert grid_of(huge, Degree(huge), inside_of(huge)) is not None
    assert grid_of(many, Degree(many), inside_of(many)) is None, "ten axes, ten million points"


def test_a_feasible_part_that_the_box_misses_is_found_from_what_was_judged(monkeypatch):
    def miss(grid, count):
        raise promising.LimitError("nothing")

    monkeypatch.setattr(promising, "find_best", miss)
    monkeypatch.setattr(promising, "EVOLUTION", BRIEF)
    model, history = known_of(LARGE)
    inside = inside_of(LARGE, share=0.01)
    small = moves.from_indices(LARGE, [0] * 6)
    found = find_promising(LARGE, model, [*history, Trial.of(LARGE, small, 0.9)], 3, inside, np.random.default_rng(0))
    assert len(found) == 3
    assert inside(found).all()
