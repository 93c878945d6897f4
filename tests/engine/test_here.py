"""Work done in this process: what judges, what trains, what is asked of a target."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from surgenas.core import moves
from surgenas.core.cost import Effort
from surgenas.core.errors import CorruptError
from surgenas.core.seeds import derive
from surgenas.core.work import Epochs, Judge, Price, Train
from surgenas.engine.here import TRAINING, Here
from surgenas.engine.jobs import network_of
from surgenas.engine.ray_training import Newest
from surgenas.nn.statistics import CALIBRATION, estimate_statistics
from surgenas.nn.weights import load_weights, save_weights
from surgenas.tasks.by_class import balanced_accuracy, judge_classes
from surgenas.tasks.classification import accuracy, predict
from surgenas.tasks.data import Images, Part, hold_out
from surgenas.tasks.image_list import HeldImages
from surgenas.testing import Planted, ToyDevice
from surgenas.training.augment import train_batches
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit
from surgenas.training.team import Team

SPACE = Planted()
ARCH = moves.uniform_architecture(SPACE, "k3e3")
RECIPE = Recipe(epochs=1, batch=64)


@pytest.fixture(scope="module")
def images(few_digits) -> Images:
    search, aside = hold_out(few_digits, 0.2, 2000, 0)
    return Images(few_digits, search, aside)


def engine(images, **how) -> Here:
    return Here(images, RECIPE, how.pop("candidates", (RECIPE,)), SPACE, 3, team=Team("cpu"), **how)


def without_test(images) -> Images:
    """The same, whose test part is nonsense."""
    nonsense = Part(HeldImages(torch.zeros(1, 3, 16, 16, dtype=torch.uint8)), torch.zeros(1, dtype=torch.long))
    return Images(replace(images.data, test=nonsense), replace(images.search, test=nonsense), images.aside)


def test_a_judgement_is_the_accuracy_on_images_held_out_of_a_short_training(images):
    weights = fit(
        make_fabric("cpu"), lambda: network_of(ARCH, SPACE), images.search, RECIPE, seed=derive(3, "candidate")
    )
    network = network_of(ARCH, SPACE)
    network.load_state_dict(weights)
    assert engine(images).perform(Judge(ARCH)) == accuracy(network, images.search, images.aside)


def test_a_judgement_never_sees_the_test_part(images):
    assert engine(without_test(images)).perform(Judge(ARCH)) == engine(images).perform(Judge(ARCH))


def test_where_classes_are_to_be_balanced_a_judgement_counts_them_alike(images):
    few = images.aside.pick(torch.arange(40))
    even = replace(images.search, balanced=True)
    found = engine(Images(images.data, even, few)).perform(Judge(ARCH))
    network = network_of(ARCH, SPACE)
    seed = derive(3, "candidate")
    network.load_state_dict(fit(make_fabric("cpu"), lambda: network_of(ARCH, SPACE), even, RECIPE, seed=seed))
    assert found == balanced_accuracy(predict(network, even, few).argmax(1), few.labels)


def test_each_rung_has_a_recipe_of_its_own(images):
    other = replace(RECIPE, epochs=4, lr=0.05, batch=16, ema=0.5)
    both = engine(images, candidates=(RECIPE, other))
    low, high = (both.perform(Judge(ARCH, rung)) for rung in (0, 1))
    assert low == engine(images).perform(Judge(ARCH))
    assert high == engine(images, candidates=(other,)).perform(Judge(ARCH))
    assert low != high


def test_a_candidate_that_goes_on_ends_as_if_it_had_never_stopped(images):
    """Judged twice on its way, it is trained to the end on the same images as one that was trained at once."""
    alike = replace(images, data=images.search)
    longer = replace(RECIPE, epochs=3)
    stores: dict[str, Newest] = {}

    def asked(**how):
        made = engine(alike, store=lambda name: stores.setdefault(name, Newest(None)), **how)
        return replace(made, recipe=longer)

    on = asked(candidates=(replace(longer, epochs=1), replace(longer, epochs=2)), goes_on=True)
    first, second = on.perform(Judge(ARCH, 0)), on.perform(Judge(ARCH, 1))
    assert stores[Judge(ARCH).name].state[0] == 2
    work = Train(Judge(ARCH).name, ARCH, derive(3, TRAINING))
    went_on, at_once = on.perform(work), asked().perform(replace(work, name="another"))
    assert all(torch.equal(weight, at_once.weights[name]) for name, weight in went_on.weights.items())
    assert first != second


def test_two_trainings_of_one_work_are_equal_bit_for_bit_and_report_the_test_part(images):
    heard = []
    work = Train("found", ARCH, seed=5)
    one, other = (
        engine(images, on_epoch=lambda name, epoch: heard.append((name, epoch.epoch))).perform(work) for _ in range(2)
    )
    assert one.accuracy == other.accuracy
    assert all(torch.equal(value, other.weights[name]) for name, value in one.weights.items())
    network = network_of(ARCH, SPACE)
    network.load_state_dict(one.weights)
    assert one.accuracy == accuracy(network, images.data, images.data.test)
    said = predict(network, images.data, images.data.test).argmax(1)
    assert one.classes == judge_classes(said, images.data.test.labels, images.data.classes)
    wrong = (said != images.data.test.labels).nonzero()[:, 0].tolist()
    assert {worst.index for worst in one.misjudged} <= set(wrong)
    assert len(one.misjudged) == min(10, len(wrong))
    assert heard == [("found", 0)] * 2
    third = engine(images).perform(replace(work, seed=6))
    assert any(not torch.equal(value, third.weights[name]) for name, value in one.weights.items())


def test_a_training_begins_with_the_weights_that_it_is_given(images, tmp_path):
    torch.manual_seed(1)
    other = network_of(ARCH, SPACE)
    start = save_weights(tmp_path / "start.safetensors", other.state_dict())
    found = engine(images).perform(Train("found", ARCH, 5, start))

    def begun():
        """BN statistics of another network's weights are estimated first."""
        network = load_weights(tmp_path / "start.safetensors", network_of(ARCH, SPACE))
        estimate_statistics(network, images.data.normalise(images.data.train.spaced(CALIBRATION).images[:]))
        return network.train()

    expected = fit(make_fabric("cpu"), begun, images.data, RECIPE, seed=5)
    assert all(torch.equal(value, expected[name]) for name, value in found.weights.items())
    fresh = engine(images).perform(Train("found", ARCH, 5))
    assert any(not torch.equal(value, fresh.weights[name]) for name, value in found.weights.items())
    save_weights(tmp_path / "start.safetensors", network_of(ARCH, SPACE).state_dict())
    with pytest.raises(CorruptError, match="damaged"):
        engine(images).perform(Train("found", ARCH, 5, start))


def test_an_epoch_is_the_batches_of_what_a_search_may_train_on(images):
    expected = train_batches(images.search, RECIPE.batch, 3, 2)
    for (x, labels), (other, same) in zip(engine(images).perform(Epochs(2)), expected, strict=True):
        assert torch.equal(x, other)
        assert torch.equal(labels, same)


class Asked(ToyDevice):
    """Notes how it was asked."""

    def price(self, jobs, effort=Effort.LEARN, **how):
        self.how = ([job.arch for job in jobs], effort, how["seed"])
        return super().price(jobs, effort, **how)


def test_a_price_is_asked_of_the_target_with_the_seed_and_the_effort(images):
    target, other = Asked(), moves.uniform_architecture(SPACE, "k5e3")
    found = engine(images, target=target).perform(Price((ARCH, other), Effort.CLAIM))
    assert target.how == ([ARCH, other], Effort.CLAIM, 3)
    assert [cost.key for cost in found] == [moves.canonical_key(SPACE, arch) for arch in (ARCH, other)]
    assert found[0].ms != found[1].ms


def test_without_a_target_or_images_held_out_there_is_no_answer(images):
    with pytest.raises(AssertionError, match="has a target"):
        engine(images).perform(Price((ARCH,)))
    with pytest.raises(AssertionError, match="images held out"):
        engine(Images(images.data, images.data)).perform(Judge(ARCH))
