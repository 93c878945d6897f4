"""What is inside a limit is what the predictor says, of gates in between too, at the limit that counts when asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.methods.inside import Inside
from surgenas.predictors.base import Predictor
from tests.accuracy.toys import Links, Megas, drawn

SPACE = Links()


def test_the_limit_is_that_of_the_moment():
    limit = [0.0]
    inside = Inside(SPACE, Megas(SPACE.costs()), lambda: limit[0])
    archs = drawn(SPACE, 20)
    ms = inside.latency_ms(moves.encode(SPACE, archs))
    assert not inside(archs).any()
    limit[0] = float(np.median(ms))
    assert inside(archs).tolist() == (ms <= limit[0]).tolist()
    assert 0 < inside(archs).sum() < 20


def test_networks_far_below_the_limit_may_be_left_out():
    archs = drawn(SPACE, 20)
    ms = Inside(SPACE, Megas(SPACE.costs()), lambda: 1.0).latency_ms(moves.encode(SPACE, archs))
    limit = float(np.quantile(ms, 0.8))
    near = Inside(SPACE, Megas(SPACE.costs()), lambda: limit, least=0.7)(archs)
    assert near.tolist() == ((ms <= limit) & (ms >= 0.7 * limit)).tolist()
    assert 0 < near.sum() < (ms <= limit).sum()


def test_what_has_to_be_met_beside_the_limit_counts_too():
    archs = drawn(SPACE, 20)
    odd = np.arange(20) % 2 == 1
    assert Inside(SPACE, Megas(SPACE.costs()), lambda: np.inf, lambda _: odd)(archs).tolist() == odd.tolist()


def test_sizes_in_between_take_times_in_between():
    inside = Inside(SPACE, Megas(SPACE.costs()), lambda: 1.0)
    low, high, middle = ([[width] * 3 + [10.0] * 3] for width in (8.0, 16.0, 12.0))
    ms = [inside.latency_ms(SPACE.gates_at(np.array(values)))[0] for values in (low, middle, high)]
    assert ms == sorted(ms)
    assert ms[1] == pytest.approx(sum(12 * 22 * 4**m for m in (1, 2, 3)) / 1e3, rel=1e-5)


def test_the_fastest_network_keeps_what_is_fixed_and_is_exact_where_latencies_add_up(small):
    """Costs of `small` add up: each free choice takes the option that is fastest by itself."""
    rng = np.random.default_rng(0)
    weights = {choice.name: rng.random(len(choice.options)) for choice in small.choices}

    class Sum(Predictor):
        def learn(self, code_NLK, latency_ms_N): ...

        def predict_relaxed(self, gates_NLK):
            table = torch.zeros(gates_NLK.shape[1:])
            for row, each in enumerate(weights.values()):
                table[row, : len(each)] = torch.from_numpy(each)
            return (gates_NLK * table).sum((1, 2))

    inside = Inside(small, Sum(small.costs()), lambda: 1.0)
    begun = moves.sample(small, rng)
    found = inside.fastest(begun, range(2, len(small.choices)))
    best = [int(each.argmin()) for each in weights.values()]
    assert moves.indices(small, found) == (*moves.indices(small, begun)[:2], *best[2:])
    assert inside.fastest(begun, ()) == begun


def test_where_latencies_multiply_no_single_change_is_faster_than_what_the_descent_ends_in():
    inside = Inside(SPACE, Megas(SPACE.costs()), lambda: 1.0)
    for arch in drawn(SPACE, 5):
        found = inside.fastest(arch, range(len(SPACE.choices)))
        ms = inside.latency_ms(moves.encode(SPACE, [found, *moves.neighbours(SPACE, found)]))
        assert ms[0] == ms.min() < inside.latency_ms(moves.encode(SPACE, [arch]))[0] + 1e-12


def test_a_latency_that_is_no_number_ends_the_descent():
    class Nothing(Megas):
        def predict_relaxed(self, gates_NLK):
            return gates_NLK.sum((1, 2)) * torch.nan

    arch = drawn(SPACE, 1)[0]
    assert Inside(SPACE, Nothing(SPACE.costs()), lambda: 1.0).fastest(arch, range(len(SPACE.choices)))
