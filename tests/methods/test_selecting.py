"""When a selection happens: after the epochs, with tuning in between, and once for each event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.methods.darts import DARTSPT
from surgenas.methods.surgenas import SurgeNAS
from surgenas.nn.supernet import Gates
from surgenas.spaces.darts import Darts
from surgenas.spaces.elastic import Elastic
from tests.methods.test_darts import TWO, make, run

ELASTIC = Elastic(network="test_resnet", resolution=16, classes=10)


@pytest.fixture(scope="module")
def few(halves):
    return halves[0], replace(halves[1], images=halves[1].images[:32], labels=halves[1].labels[:32])


def test_decisions_fall_after_the_epochs_and_the_last_after_the_last_tuning(few):
    search = make(few, DARTSPT, TWO, tuning=1, epochs=2)
    search.judge = lambda weights: [0.5] * len(weights)
    search.train_on = lambda images, labels, index: (1.0, 0.5, 1.0)
    events = run(few, search)
    told = [len(event.decisions) for event in events]
    assert told[:2] == [0, 0], "while the weights are trained"
    assert told[2:16] == [2] * 14, "an edge of either cell, then the nodes"
    assert sum(told) == 28 + 12
    assert not search.ask()


def test_a_selected_network_outside_the_window_is_not_proposed(few):
    search = make(few, DARTSPT, TWO, tuning=1, epochs=1)
    rng = np.random.default_rng(0)
    search.judge = lambda weights: rng.random(len(weights)).tolist()
    for event in range(len(search.events)):
        search._decide(event)
    chosen = search.largest()
    assert moves.decode(TWO, search.preferences().numpy()) == chosen

    def latency(archs):
        return np.array([2.0 if arch == chosen else 1.0 for arch in archs])

    assert search.propose(latency, (1.5, 2.5), 3, rng) == [chosen]
    assert chosen not in search.propose(latency, (0.5, 1.5), 3, rng)


def test_judged_is_the_accuracy_with_these_weights_alone(few):
    search = make(few, DARTSPT, TWO)
    seen = []
    said = search.supernet.forward
    search.supernet.forward = lambda x, gates: seen.append(gates) or said(x, gates)
    assert len(search.judge([search.probabilities()] * 2)) == 2
    assert all(isinstance(gates, Gates) and gates.path is None for gates in seen)
    assert len(seen) == 2, "32 images fit into one batch"


def test_a_search_of_single_paths_selects_too_and_tunes_what_is_left(halves):
    """SurgeNAS: what was decided against is drawn no more."""
    search = make(halves, SurgeNAS, TWO, epochs=1, warmup=0.0, eta=0.0, selection="perturbation")
    search.judge = lambda weights: [0.5] * len(weights)
    run(halves, search, until=3)
    assert len(search.decisions) == 4
    paths = search._draw(1.0, 7, searching=True)
    for decision in search.decisions:
        assert {gates.path[decision.row] for gates in paths} == {decision.operator}
    run(halves, search)
    assert len(search.decisions) == 28 + 12
    assert search.most_events == 1 + 16
    with pytest.raises(UsageError, match="sizes that share weights have none"):
        make(halves, SurgeNAS, ELASTIC, epochs=2, selection="perturbation")


def test_a_noisy_operator_is_judged_with_the_same_noise_whatever_was_drawn_before(few):
    space = Darts(channels=4, layers=3, resolution=8, operators="s4")
    search = make(few, DARTSPT, space)
    weights = search.probabilities()
    first = search.judge([weights, weights])
    torch.randn(7)
    assert search.judge([weights, weights]) == first
    assert first[0] == first[1]


def test_a_part_of_a_single_image_is_never_judged(halves):
    held = replace(halves[1], images=halves[1].images[:65], labels=halves[1].labels[:65])
    space = Darts(channels=4, layers=3, resolution=8, stem=2, operators="s2")
    search = make((halves[0], held), DARTSPT, space)
    assert 0 <= search.judge([search.probabilities()])[0] <= 1, "its last maps have one pixel"
