"""NetAdapt: the authors' own test network, the three rules, and the moment of fine-tuning."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.work import Epochs
from surgenas.methods import make_method
from surgenas.methods.netadapt import RULES, NetAdapt, first_inside
from tests.methods.toys import BATCHES, Chain, Toy, problem_of, thousands, weights_in

SPACE = Toy()
TARGET = 29_232 - 730.8
"""A fortieth less than the weights of the authors' test network."""


@pytest.mark.parametrize(
    ("multiple", "widths", "weights"),
    [(8, (8, 24, 56), (26_712, 23_472, 26_208)), (1, (13, 30, 62), (28_287, 27_792, 28_476))],
)
def test_the_first_width_with_which_the_network_meets_the_target(multiple, widths, weights):
    space = Toy(Chain, multiple=multiple, resolution=32)
    largest = space.largest()
    assert weights_in(space, [largest]) == [29_232]
    assert space.costs().macs_of(moves.encode(space, [largest])).tolist() == [29_933_568]
    search = NetAdapt().begin(problem_of(space, 0.5))
    found = search.smaller(TARGET / 1e3, 0)
    changed = [next(int(new) for new, old in zip(a.genes, largest.genes, strict=True) if new != old) for a in found]
    assert tuple(changed) == widths
    assert tuple(weights_in(space, found)) == weights
    assert [1e3 * thousands(space, arch) for arch in found] == pytest.approx(weights), "the predictor knows"


def test_the_last_is_taken_if_none_is_inside():
    assert first_inside([3.0, 2.0, 1.0], 2.5) == 1
    assert first_inside([3.0, 2.0, 1.0], 2.0) == 1
    assert first_inside(np.array([3.0, 2.0, 1.0]), 0.5) == 2


def best(rule, accuracies, weights, before=80.0):
    scores = [RULES[rule](a, before, w, 29_232) for a, w in zip(accuracies, weights, strict=True)]
    return int(np.argmax(scores)) + 1, scores


def test_rules_differ():
    accuracies, weights = (79.55, 78.9, 79.5), (26_712, 23_472, 26_208)
    block, scores = best("ratio", accuracies, weights)
    assert block == 3
    assert [-score for score in scores] == pytest.approx([1.786e-4, 1.910e-4, 1.653e-4], rel=1e-3)
    assert best("accuracy", accuracies, weights)[0] == 1
    assert best("mobilenetv3", accuracies, weights)[0] == 3


def test_a_gain_of_accuracy_does_not_prefer_the_smaller_saving():
    """As the authors' rule does: -3.97e-5, -1.74e-5, -3.31e-5, and the first wins."""
    weights = (26_712, 23_472, 26_208)
    assert best("ratio", (80.1, 80.1, 80.1), weights)[0] == 2
    assert best("ratio", (80.0, 80.3, 81.0), weights)[0] == 2
    plain = [(80.0 - 80.1 + 1e-6) / (29_232 - w + 1e-5) for w in weights]
    assert plain == pytest.approx([-3.97e-5, -1.74e-5, -3.31e-5], abs=5e-8)
    assert best("mobilenetv3", (80.1, 80.1, 80.1), weights)[0] == 1, "it counts changes as they are"


def begun(**settings):
    return NetAdapt(**{"epochs": 1, "short_steps": 3, **settings}).begin(problem_of(SPACE, 0.5))


def test_a_candidate_does_not_depend_on_the_order_of_the_others():
    search = begun(short_lr=0.05)
    archs = search.smaller(0.9 * thousands(SPACE, SPACE.largest()), 0)
    one, other = search.choose(archs, BATCHES), search.choose(archs[::-1], iter(BATCHES))
    assert (one.arch, one.accuracy, one.loss) == (other.arch, other.accuracy, other.loss)
    assert all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


def test_fine_tuning_goes_round_the_batches_and_leaves_the_shared_weights_alone():
    search = begun(short_lr=0.05, short_steps=4)
    before = {name: tensor.clone() for name, tensor in search.supernet.state_dict().items()}
    arch = SPACE.largest()
    tuned = search.choose([arch], BATCHES)
    assert all(torch.equal(before[name], tensor) for name, tensor in search.supernet.state_dict().items())
    less = begun(short_lr=0.05, short_steps=2).choose([arch], BATCHES)
    more = begun(short_lr=0.05, short_steps=4).choose([arch], [*BATCHES, *BATCHES])
    assert more.loss == tuned.loss < less.loss


def test_without_fine_tuning_candidates_are_judged_as_they_are():
    search = begun(short_steps=0)
    chosen = search.choose([SPACE.largest()], [])
    assert math.isnan(chosen.loss)
    assert chosen.accuracy == search.judge([SPACE.largest()])[0]


def test_of_equal_candidates_the_fastest_goes_on():
    search = begun(short_steps=0)
    for p in search.supernet.parameters():
        p.data.zero_()
    archs = search.smaller(0.9 * thousands(SPACE, SPACE.largest()), 0)
    assert search.choose(archs, []).arch == min(archs, key=lambda arch: thousands(SPACE, arch))


def test_weights_that_are_trained_already_are_not_trained_first():
    start = SPACE.whole().state_dict()
    search = NetAdapt(epochs=3, short_steps=1).begin(problem_of(SPACE, 0.9, start=start, priced=False))
    (step,) = search.tell(*[search.ask()[0], BATCHES])
    assert step.epoch == 0
    assert step.changed
    assert NetAdapt(epochs=3).begin(problem_of(SPACE, 0.9)).training_epochs == 3


def test_fine_tuning_that_diverges_names_the_setting():
    search = begun(short_lr=1e30)
    search.tell(Epochs(0), BATCHES)
    with pytest.raises(SurgenasError, match=r"diverged; try a smaller rate: --set short_lr=1e\+29"):
        search.tell(Epochs(1), BATCHES)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"rule": "best"}, "rule=best: .*'accuracy', 'ratio' or 'mobilenetv3'"),
     ({"step": 1.0}, "step=1.0: .*less than 1"),
     ({"decay": 0.0}, "decay=0.0: .*greater than 0"), ({"iterations": 0}, "iterations=0"),
     ({"short_steps": -1}, "short_steps=-1"), ({"short_lr": 0.0}, "short_lr=0")],
)  # fmt: skip
def test_settings_that_make_no_search(settings, said):
    with pytest.raises(UsageError, match=said):
        make_method("netadapt", settings)
