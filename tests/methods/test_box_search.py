"""The best points of a grid under a limit: as enumeration finds them, never above the limit, in few evaluations."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from surgenas.core.errors import LimitError
from surgenas.methods import box_search
from surgenas.methods.box_search import Grid, enumerate_grid, find_best, search_boxes


class Counting:
    """A function that knows how often it was called."""

    def __init__(self, function):
        self.function, self.calls, self.points = function, 0, 0

    def __call__(self, values):
        self.calls, self.points = self.calls + 1, self.points + len(values)
        return self.function(values)


def degree(values, cells=3):
    width, links = values[:, :cells], values[:, cells:]
    return (width + 6 * links / (8 * width)).sum(1)


def known(limit_ms=20.0):
    """The toy of docs/methods/flash.md, 4: widths 8 to 64, links 0 to 50, 110,592 points."""
    areas = np.array([1024, 256, 64])

    def ms(values):
        width, links = values[:, :3], values[:, 3:]
        return ((width**2 + width * links) * 8 * areas).sum(1) / 1e6

    axes = (tuple(np.arange(8.0, 65, 8)),) * 3 + (tuple(np.arange(0.0, 51, 10)),) * 3
    return Grid(axes, lambda values: 1 / (0.02 * np.exp(100 / degree(values)) + 0.985), Counting(ms), limit_ms)


def drawn(seed, cells=2):
    """A toy of other options, costs and limit: 65,536 points for two cells."""
    rng = np.random.default_rng(seed)
    cost, a = rng.uniform(0.2, 1, cells) * 4.0 ** -np.arange(cells), rng.uniform(0.005, 0.05)

    def some(of, count):
        return tuple(np.sort(rng.choice(of, count, replace=False)))

    axes = tuple(some(np.arange(8.0, 97, 4), 16) for _ in range(cells))
    axes += tuple(some(np.arange(0.0, 61, 3), 16) for _ in range(cells))
    middle = degree(np.array([[np.mean(axis) for axis in axes]]), cells)[0]

    def ms(values):
        width, links = values[:, :cells], values[:, cells:]
        return 0.05 + ((width**2 + width * links) * cost).sum(1) / 1e3

    grid = Grid(axes, lambda values: 1 / (a * np.exp(middle / degree(values, cells)) + 0.98), Counting(ms), 1.0)
    places = np.stack([rng.integers(size, size=500) for size in grid.shape], 1)
    return replace(grid, limit_ms=float(np.quantile(ms(grid.values(places)), rng.uniform(0.1, 0.7))))


def test_all_points_are_looked_at_once_and_the_best_said_first():
    grid = known()
    found = find_best(grid, 3)
    assert grid.latency_ms.points == grid.size == 110_592
    assert grid.values(found.places)[0].tolist() == [32, 64, 64, 0, 0, 30]
    assert found.scores[0] == pytest.approx(0.978173, abs=1e-6)
    assert found.scores.tolist() == sorted(found.scores, reverse=True)


def test_enumeration_is_what_a_plain_loop_says():
    grid = drawn(1, cells=1)
    points = np.array(list(itertools.product(*grid.axes)))
    inside = points[grid.latency_ms(points) <= grid.limit_ms]
    found = enumerate_grid(grid, 4)
    assert found.scores.tolist() == sorted(grid.score(inside), reverse=True)[:4]


def test_boxes_of_the_grid_are_near_the_best_and_never_outside_the_limit():
    """Regret of at most 1e-4 in accuracy on 19 of 20 toys; a box holds a sixteenth of the points."""
    regrets = []
    for seed in range(20):
        grid = drawn(seed)
        best = enumerate_grid(grid, 1).scores[0]
        found = search_boxes(grid, 5)
        assert (grid.latency_ms(grid.values(found.places)) <= grid.limit_ms).all()
        assert len({tuple(place) for place in found.places.tolist()}) == 5
        regrets.append(best - found.scores[0])
    assert min(regrets) >= 0
    assert np.sum(np.array(regrets) <= 1e-4) >= 19


def test_three_axes_take_few_evaluations_and_six_some_thousands():
    """The time of both is theirs: a call is a fraction of a millisecond."""
    rising = Counting(lambda values: values.sum(1))
    three = Grid((tuple(np.arange(1.0, 200)),) * 3, lambda values: np.log(values).sum(1), rising, 100.0)
    assert three.size > box_search.ENUMERABLE
    assert three.latency_ms(three.values(find_best(three, 1).places))[0] <= 100
    assert rising.calls < 400
    six = known()
    search_boxes(six, 1)
    assert six.latency_ms.calls < 5000


def test_axes_of_one_option_stay_where_they_are():
    grid = drawn(2)
    narrow = replace(grid, axes=(grid.axes[0], (40.0,), *grid.axes[2:]))
    found = search_boxes(narrow, 1)
    assert narrow.values(found.places)[0, 1] == 40
    assert found.scores[0] >= enumerate_grid(narrow, 1).scores[0] - 1e-4


@pytest.mark.parametrize("search", [enumerate_grid, search_boxes])
def test_a_limit_that_nothing_meets_is_refused_and_the_nearest_named(search):
    """The smallest corner takes .688 ms: 64 x 8 x 1344 / 1e6."""
    with pytest.raises(
        LimitError, match=r"inside 0\.6 ms; the nearest takes 0\.688 ms, at 8, 8, 8, 0, 0, 0"
    ) as refused:
        search(known(0.6), 1)
    assert "\n" not in str(refused.value)


def test_a_limit_that_one_point_meets_finds_it():
    found = search_boxes(known(0.7), 3)
    assert found.places.tolist() == [[0] * 6]
