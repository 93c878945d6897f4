"""The programme of engines against trying everything, and what it says of budgets that nothing fits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surgenas.core.programme import Infeasible
from surgenas.hardware.estimated.engines import Engine, cheapest_engines, cycles_of


def instance(seed: int) -> tuple[list[Engine], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    S, R = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    engines = [
        Engine(f"e{e}", rng.integers(1, 50, (sizes, R)).astype(float), rng.integers(0, 1000, (sizes, S)).astype(float))
        for e, sizes in enumerate(rng.integers(1, 7, int(rng.integers(1, 4))))
    ]
    return engines, rng.integers(20, 120, R).astype(float), rng.integers(0, 400, S).astype(float)


def tried(engines, budget, together, least):
    """(cycles, first resource) of every choice within the budget."""
    for sizes in product(*(range(len(engine.uses)) for engine in engines)):
        used = sum(engine.uses[size] for engine, size in zip(engines, sizes, strict=True))
        if (used <= budget).all():
            yield float(cycles_of(engines, sizes, together, least).sum()), float(used[0])


@pytest.mark.parametrize("together", ["max", "sum"])
@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_it_is_the_best_of_all_choices_and_of_equal_ones_the_smallest(together, seed):
    engines, budget, least = instance(seed)
    everything = list(tried(engines, budget, together, least))
    if not everything:
        with pytest.raises(Infeasible):
            cheapest_engines(engines, budget, together, least)
        return
    sizes, cycles = cheapest_engines(engines, budget, together, least)
    used = sum(engine.uses[size] for engine, size in zip(engines, sizes, strict=True))
    assert (used <= budget).all()
    assert (cycles, float(used[0])) == min(everything)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(0, 2), st.floats(1, 3))
def test_a_larger_board_is_never_slower(seed, resource, factor):
    engines, budget, _ = instance(seed)
    assume(any(True for _ in tried(engines, budget, "max", None)))
    larger = budget.copy()
    larger[resource % len(budget)] *= factor
    assert cheapest_engines(engines, larger, "max")[1] <= cheapest_engines(engines, budget, "max")[1]


def test_what_is_needed_at_least_is_said():
    one = Engine("one", np.array([[4.0, 2.0], [8.0, 1.0]]), np.array([[10.0], [5.0]]))
    with pytest.raises(Infeasible) as found:
        cheapest_engines([one, one], np.array([7.0, 9.0]), "sum")
    assert found.value.least.tolist() == [8, 2]
