"""Training: interrupted and resumed it ends in the same bits; it learns; DDP learns too."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import SurgenasError
from surgenas.runs.checkpoint import Checkpoints
from surgenas.tasks.classification import accuracy
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit

RECIPE = Recipe(epochs=3, batch=128)


class Stop(Exception):
    pass


def network(small):
    return small.build(moves.uniform_architecture(small, "k3e3"))


def test_resumed_training_is_bit_equal(small, few_digits, tmp_path):
    fabric = make_fabric("cpu")
    whole = fit(fabric, lambda: network(small), few_digits, RECIPE, seed=1)

    def stop(epoch):
        if epoch.epoch == 1:
            raise Stop

    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(Stop):
        fit(fabric, lambda: network(small), few_digits, RECIPE, seed=1, checkpoints=checkpoints, on_epoch=stop)
    resumed = fit(fabric, lambda: network(small), few_digits, RECIPE, seed=1, checkpoints=checkpoints)
    assert checkpoints.numbers() == [2, 3]
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_a_training_that_diverges_is_one_line(small, few_digits):
    wild = replace(RECIPE, lr=1e30, warmup=0.0)
    with pytest.raises(SurgenasError, match="diverged in epoch 1"):
        fit(make_fabric("cpu"), lambda: network(small), few_digits, wild, seed=0)


def test_it_learns_the_digits(small, digits):
    state = fit(make_fabric("cpu"), lambda: network(small), digits, Recipe(epochs=4, batch=64), seed=0)
    trained = network(small)
    trained.load_state_dict(state)
    assert accuracy(trained, digits, digits.test) > 0.6
