"""NetAdaptV2: a network of its own for every image, and descent along several choices at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.work import Epochs
from surgenas.engine.base import drive
from surgenas.methods import make_method
from surgenas.methods.netadaptv2 import NetAdaptV2, given_up
from surgenas.methods.shrink_path import Reached, ShrinkStep
from surgenas.training.augment import steps_per_epoch, train_batches
from tests.methods.toys import BATCHES, IMAGES, Player, Toy, problem_of, thousands

SPACE = Toy()
WHOLE = thousands(SPACE, SPACE.largest())


def begun(share=0.5, **settings):
    return NetAdaptV2(**{"epochs": 1, **settings}).begin(problem_of(SPACE, share))


def shrunk(search, arch):
    """The choices in which an architecture is smaller than the present network."""
    now = moves.indices(SPACE, search.path[-1].arch)
    return {i for i, (a, b) in enumerate(zip(moves.indices(SPACE, arch), now, strict=True)) if a < b}


def test_candidates_meet_the_target_by_a_few_choices_and_no_further():
    search = begun()
    target = 0.9 * WHOLE
    found = search.smaller(target, 0)
    assert 5 < len(set(found)) == len(found) <= 16
    for arch in found:
        few = shrunk(search, arch)
        assert 1 <= len(few) <= 3
        if thousands(SPACE, arch) > target:
            places = moves.indices(SPACE, arch)
            assert sum(places[i] == 0 for i in few) == 3, "all three are at their smallest"
            continue
        places = np.array(moves.indices(SPACE, arch))
        before = [moves.from_indices(SPACE, places + np.eye(len(places), dtype=int)[i]) for i in few]
        assert any(thousands(SPACE, larger) > target for larger in before), "the last step was needed"
    assert any(len(shrunk(search, arch)) > 1 for arch in found)


def test_draws_depend_on_seed_and_iteration_alone():
    one, other = begun(), begun()
    assert one.smaller(0.9 * WHOLE, 3) == other.smaller(0.9 * WHOLE, 3)
    assert one.smaller(0.9 * WHOLE, 3) != other.smaller(0.9 * WHOLE, 4)


def test_what_lies_in_a_block_that_is_off_is_not_drawn():
    search = begun(samples=40, together=8)
    block = next(i for i, choice in enumerate(SPACE.choices) if choice.name == "block 7")
    largest = SPACE.largest()
    off = SPACE.architecture((*largest.genes[:block], "off", *largest.genes[block + 1 :]))
    search.path = [Reached(largest), Reached(off, 0.5)]
    inside = {i for i, choice in enumerate(SPACE.choices) if " 7." in choice.name}
    drawn = set.union(*(shrunk(search, arch) for arch in search.smaller(0.3 * thousands(SPACE, off), 0)))
    assert len(inside) == 2
    assert drawn == set(range(len(SPACE.choices))) - inside - {block}


def test_nothing_left_to_shrink_is_no_candidate():
    search = begun()
    search.path = [Reached(SPACE.architecture(tuple(choice.options[0] for choice in SPACE.choices)))]
    assert search.smaller(0.0, 0) == []


def test_each_image_trains_a_network_of_its_own():
    """And each batch anew, whatever was before."""
    search, drawn = begun(), []
    plain = search.supernet.at_each
    search.supernet.at_each = lambda images, paths: drawn.append(paths) or plain(images, paths)
    for index in (0, 1, 1):
        search.step(*BATCHES[0], index)
    assert np.shape(drawn[0]) == (32, len(SPACE.choices))
    assert len({tuple(path) for path in drawn[0]}) > 25
    assert drawn[0] != drawn[1] == drawn[2]
    sizes = [len(choice.options) for choice in SPACE.choices]
    assert np.max(drawn, axis=(0, 1)).tolist() == [size - 1 for size in sizes]
    assert np.min(drawn) == 0


@pytest.mark.slow
def test_training_in_many_sizes_lets_smaller_networks_learn(halves):
    data, held_out = halves
    problem = problem_of(SPACE, 0.5, held_out=held_out, steps_per_epoch=steps_per_epoch(data, 64))
    search, half = NetAdaptV2(epochs=6).begin(problem), SPACE.uniform(0.5)
    before = search.judge([half])[0]
    for epoch in range(6):
        (summary,) = search.tell(Epochs(epoch), train_batches(data, 64, 0, epoch))
    assert np.isnan(summary.latency_ms)
    assert search.judge([half])[0] > before + 0.1


def test_the_best_by_the_shared_weights_goes_on():
    search = begun()
    archs = search.smaller(0.9 * WHOLE, 0)
    chosen = search.choose(archs, iter(()))
    scores = search.judge(archs)
    assert chosen.accuracy == max(scores)
    fastest = min(thousands(SPACE, arch) for arch, score in zip(archs, scores, strict=True) if score == max(scores))
    assert thousands(SPACE, chosen.arch) == fastest
    assert dict(chosen.weights) == {}


def test_the_descent_ends_inside_takes_no_batches_and_leaves_the_weights_alone():
    search = begun(step=0.25, decay=1.0)
    search.tell(Epochs(0), BATCHES)
    before = {name: tensor.clone() for name, tensor in search.supernet.state_dict().items()}

    class Spare(Player):
        def expect(self, works):
            pass

        def perform(self, work):
            return (
                (pytest.fail("no batch is needed") for _ in "x") if isinstance(work, Epochs) else super().perform(work)
            )

    steps = [e for _, e in drive(search, Spare(lambda arch: 1.2 * thousands(SPACE, arch))) if isinstance(e, ShrinkStep)]
    ms = [step.latency_ms for step in steps]
    assert ms == sorted(ms, reverse=True)
    assert ms[-1] <= 0.5 * WHOLE
    assert max(len(step.changed) for step in steps) > 1, "several choices in one iteration"
    assert all(torch.equal(before[name], tensor) for name, tensor in search.supernet.state_dict().items())


def test_it_trains_also_what_begins_with_trained_weights_gently():
    start = SPACE.whole().state_dict()
    search = NetAdaptV2(epochs=2).begin(problem_of(SPACE, 0.5, start=start))
    assert search.training_epochs == 2
    search.step(IMAGES[:32], BATCHES[0][1], 0)
    assert search.optimizer.param_groups[0]["lr"] == pytest.approx(0.01)


@pytest.mark.parametrize("setting", ["samples", "together", "epochs", "iterations"])
def test_settings_that_make_no_search(setting):
    with pytest.raises(UsageError, match=f"{setting}=0: .*greater than or equal to 1"):
        make_method("netadaptv2", {setting: 0})


def test_given_up_is_little_where_several_choices_give_a_bit():
    now = np.array([7, 7, 7])
    several, one, none = given_up(np.array([[6, 6, 6], [7, 0, 7], [7, 7, 7]]), now)
    assert none == 0 < several < one
