"""What searches that share weights have in common, on one that does nothing but count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.space import Choice
from surgenas.core.work import Epochs
from surgenas.methods.base import EpochSummary, HoldsWeights, Needs, Problem
from surgenas.methods.shared_weights import SupernetSearch, make_shared
from surgenas.methods.spos import SPOS
from surgenas.methods.surgenas import SurgeNAS
from surgenas.spaces.elastic import Elastic
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted, ZeroPredictor

ELASTIC = Elastic(network="test_resnet", resolution=16, classes=10)
PLANTED = Planted().choices
BATCHES = [(torch.full((2, 3, 16, 16), float(i)), torch.tensor([0, 1])) for i in range(3)]


@dataclass(frozen=True)
class Counting:
    """Its search keeps the steps that it was asked to do."""

    name: ClassVar[str] = "counting"
    default_space: ClassVar[str] = "mobile"
    epochs: int = 2

    def needs(self, space):
        return Needs(shares=("choice",))

    def begin(self, problem):
        return CountingSearch(self, problem)


class CountingSearch(SupernetSearch):
    def start(self):
        self.steps, self.loss = [], 1.0

    def train_on(self, images, labels, index):
        self.steps.append((index, float(images.mean()), float(torch.rand(()))))
        return self.loss * float(images.mean()), 0.5, 3.0

    def propose(self, latency_ms, window_ms, count, rng):
        return []

    def largest(self):
        raise NotImplementedError

    def summary(self, known):
        return EpochSummary(**known)

    def own_state(self):
        return {}

    def load_own_state(self, state):
        pass


def begin(**how):
    return Counting().begin(Problem(Planted(), 1.0, 0, steps_per_epoch=3, **how))


def test_it_asks_for_one_epoch_at_a_time_until_all_are_done():
    search = begin()
    for number in range(2):
        assert search.ask() == search.ask() == [Epochs(number)]
        search.tell(Epochs(number), BATCHES)
    assert search.ask() == []
    assert [index for index, *_ in search.steps] == [0, 1, 2, 3, 4, 5]


def test_extra_rounds_are_extra_epochs_and_a_finished_search_asks_for_none():
    search = begin(extra=2)
    search.done = 3
    assert search.ask() == [Epochs(3)]
    done = type("Done", (CountingSearch,), {"finished": property(lambda self: True)})
    assert done(Counting(), search.problem).ask() == []


def test_an_epoch_is_summed_up_by_the_means_of_its_steps():
    (found,) = begin().tell(Epochs(0), BATCHES)
    assert found == EpochSummary(epoch=0, loss=1.0, accuracy=0.5, latency_ms=3.0)


def test_randomness_follows_from_seed_and_epoch_alone():
    one, other = begin(), begin()
    one.tell(Epochs(0), BATCHES)
    torch.rand(100)
    one.tell(Epochs(1), BATCHES)
    other.tell(Epochs(1), BATCHES)
    assert [draw for *_, draw in one.steps[3:]] == [draw for *_, draw in other.steps]


def test_two_supernets_of_one_seed_begin_with_the_same_weights():
    one, other = begin(), begin()
    for a, b in zip(one.supernet.parameters(), other.supernet.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_loss_that_is_no_number_is_said_with_what_to_do():
    search = begin()
    search.loss = math.nan
    with pytest.raises(SurgenasError, match=r"diverged in epoch 2 \(loss nan\).*--set weight_lr"):
        search.tell(Epochs(1), BATCHES)


def test_a_space_that_shares_weights_otherwise_is_refused():
    with pytest.raises(
        UsageError, match="counting trains weights that are shared as choice; space 'nasbench201' shares them as cells"
    ):
        Counting().begin(Problem(NASBench201(resolution=16), 1.0, 0))
    make_shared(Planted(), Needs(shares=("cells", "choice")), "any", "mobile")


def test_a_space_that_shares_no_weights_is_refused():
    with pytest.raises(UsageError, match="share no weights"):
        make_shared(object(), Needs(shares=("choice",)), "any", "mobile")


def test_every_architecture_has_weights_as_a_network_of_its_own_takes_them():
    space = Planted()
    search = Counting().begin(Problem(space, 1.0, 0))
    assert isinstance(search, HoldsWeights)
    arch = moves.uniform_architecture(space, "k5e3")
    network = space.build(arch)
    network.load_state_dict(search.weights_of(arch))
    images = torch.randn(2, *space.input_shape)
    with torch.no_grad():
        expected = search.supernet.eval().at(images, moves.indices(space, arch))
        assert torch.equal(network.eval()(images), expected)


def test_shared_weights_can_begin_with_trained_ones_and_learn_gently_then(differing):
    torch.manual_seed(3)
    whole = ELASTIC.whole()
    fresh, search = (SPOS(weight_lr=0.2).begin(problem(start=start)) for start in (None, whole.state_dict()))
    assert differing(search.supernet.network, whole) == []
    assert differing(fresh.supernet.network, whole)
    assert (fresh.first_lr, search.first_lr) == (0.2, pytest.approx(0.02))
    assert search.optimizer.param_groups[0]["lr"] == search.first_lr
    surgenas = SurgeNAS(weight_lr=0.2).begin(problem(start=whole.state_dict()))
    assert surgenas.weight_optimizer.param_groups[0]["lr"] == search.first_lr


def test_layers_of_unequally_many_operators_are_refused_unless_they_are_sizes():
    assert torch.equal(SPOS().begin(problem()).offered, torch.from_numpy(ELASTIC.offered))
    kind = type("Uneven", (Planted,), {"choices": property(lambda self: (*PLANTED[:-1], Choice("layer6", ("k3e3",))))})
    with pytest.raises(UsageError, match="spos needs equally many operators in every layer"):
        SPOS().begin(Problem(kind(), 1.0, 0, predictor=ZeroPredictor(kind().costs())))


def problem(**how):
    return Problem(ELASTIC, 1.0, 0, predictor=ZeroPredictor(ELASTIC.costs()), **how)
