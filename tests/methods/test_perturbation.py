"""Selection by taking away: which one stays, in what order, and how often it is asked."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from surgenas.core import moves
from surgenas.methods.perturbation import (
    Decision,
    Event,
    decide,
    events_of,
    judgements,
    scores,
    weights_with,
)
from surgenas.spaces.darts import Darts
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted

CELLS, TWO_INPUTS = NASBench201(), Darts(channels=4, layers=4, resolution=8)


def equal(space) -> Tensor:
    there = torch.from_numpy(space.offered).float()
    return there / there.sum(1, keepdim=True)


def whole(space, judge, seed=0) -> list[Decision]:
    """All decisions of a selection."""
    found: list[Decision] = []
    for event in events_of(space, seed):
        found += decide(event, found, equal(space), space.offered, judge)
    return found


@pytest.mark.parametrize(("space", "count"), [(CELLS, 30), (TWO_INPUTS, 240)])
def test_it_judges_as_often_as_the_authors_do(space, count):
    asked = []

    def judge(weights):
        asked.extend(weights)
        return [0.5] * len(weights)

    whole(space, judge)
    assert len(asked) == judgements(space) == count


def test_kept_is_what_is_missed_most_and_of_equal_ones_the_first():
    event, there = Event(((0,),), thins=False), np.ones((1, 3), dtype=bool)

    def told(*accuracies):
        (decision,) = decide(event, [], torch.full((1, 3), 1 / 3), there, lambda weights: list(accuracies))
        return decision.operator, round(decision.margin, 6)

    assert told(0.5, 0.2, 0.3) == (1, 0.1)
    assert told(0.2, 0.5, 0.2) == (0, 0.0)


def test_dropped_is_what_is_missed_least_and_of_equal_ones_the_last():
    event, there = Event(((0, 1, 2, 3),), thins=True), np.ones((4, 2), dtype=bool)
    lost = {0: 0.1, 1: 0.3, 2: 0.1, 3: 0.2}

    def judge(weights):
        return [1 - sum(lost[row] for row in range(4) if not w[row].any()) for w in weights]

    found = decide(event, [], torch.full((4, 2), 0.5), there, judge)
    assert [decision.row for decision in found] == [2, 0]
    assert weights_with(found, torch.full((4, 2), 0.5)).any(1).tolist() == [False, True, False, True]


def test_an_operator_that_is_away_has_weight_zero_and_the_others_keep_theirs():
    seen = []
    decide(Event(((1,),), thins=False), [Decision(0, 2, {}, 0.0)], equal(CELLS), CELLS.offered,
           lambda weights: [seen.append(w) or 0.0 for w in weights])  # fmt: skip
    assert len(seen) == 5
    for k, weights in enumerate(seen):
        assert weights[1].tolist() == pytest.approx([0.0 if i == k else 0.2 for i in range(5)])
        assert weights[0].tolist() == [0, 0, 1, 0, 0], "a decided edge has exactly 1"
        assert torch.equal(weights[2:], equal(CELLS)[2:])


def test_a_whole_selection_is_an_architecture():
    rng = np.random.default_rng(3)
    found = whole(TWO_INPUTS, lambda weights: rng.random(len(weights)).tolist())
    weights = weights_with(found, equal(TWO_INPUTS))
    assert set(weights.flatten().tolist()) == {0.0, 1.0}
    arch = moves.decode(TWO_INPUTS, weights.double().numpy())
    kept = np.flatnonzero(weights.any(1).numpy())
    code = moves.encode(TWO_INPUTS, [arch])[0]
    assert np.flatnonzero(code[:, -1] == 0).tolist() == kept.tolist()
    assert (code[kept] == weights.numpy()[kept]).all()
    found_scores = scores(found, TWO_INPUTS.offered)
    assert moves.decode(TWO_INPUTS, found_scores) == arch
    assert np.isneginf(found_scores[[d.row for d in found if d.operator is None]]).all()


def test_the_reduction_cell_is_judged_with_the_normal_one_decided():
    seen = []
    event = events_of(TWO_INPUTS, 0)[0]
    decide(event, [], equal(TWO_INPUTS), TWO_INPUTS.offered, lambda ws: [seen.append(w) or 0.0 for w in ws])
    (normal,), (reduce,) = event.rows
    assert reduce == normal + 14
    assert all(weights[normal].tolist() == [1, 0, 0, 0, 0, 0, 0, 0] for weights in seen[7:])


def test_chains_have_an_event_for_each_layer_in_an_order_of_the_seed():
    orders = [[event.rows[0][0] for event in events_of(Planted(), seed)] for seed in (0, 0, 1)]
    assert sorted(orders[0]) == list(range(6))
    assert orders[0] == orders[1] != orders[2]


def test_on_a_known_table_every_order_of_edges_finds_what_it_must():
    """A score that is a sum over edges has one best cell, whatever the order; here the accuracy without an operator is
    the mean score of all cells that lack it and agree with what is decided."""
    table = np.random.default_rng(1).random((6, 5))
    cells = np.array(list(product(range(5), repeat=6)))
    score = table[np.arange(6), cells].sum(1)

    def judge(weights):
        return [float(score[(w.numpy()[np.arange(6), cells] > 0).all(1)].mean()) for w in weights]

    for seed in range(3):
        path = [decision.operator for decision in sorted(whole(CELLS, judge, seed), key=lambda d: d.row)]
        assert path == table.argmax(1).tolist()
