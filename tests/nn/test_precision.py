"""Costly layers compute in bfloat16 where that is asked for; what is learnt, and what predicts, stays in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.methods import make_method
from surgenas.methods.candidates import HeldOut
from surgenas.nn.precision import in_float32, in_precision
from surgenas.predictors.mlp import MlpPredictor
from surgenas.tasks.classification import predict, share_right
from surgenas.testing import Planted
from surgenas.training.augment import train_batches
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit
from tests.training.test_team import METHODS, problem_of

CPU = torch.device("cpu")


def test_products_are_in_bfloat16_only_where_it_is_asked_for():
    def product() -> torch.dtype:
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype

    for precision, expected in (("fp32", torch.float32), ("auto", torch.float32), ("bf16", torch.bfloat16)):
        with in_precision(precision, CPU):
            assert product() == expected
            with in_float32(CPU):
                assert product() == torch.float32
    assert product() == torch.float32


def test_a_network_learns_in_bfloat16_and_its_weights_are_not(digits):
    space, few = Planted(), replace(digits, train=digits.train.pick(torch.arange(640)))
    arch = moves.uniform_architecture(space, "k5e3")
    found = {}
    for precision in ("fp32", "bf16"):
        recipe = Recipe(epochs=3, batch=64, precision=precision)
        losses: list[float] = []
        weights = fit(make_fabric("cpu"), lambda: space.build(arch), few, recipe, seed=0,
                      on_epoch=lambda epoch, into=losses: into.append(epoch.loss))  # fmt: skip
        assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}
        network = space.build(arch)
        network.load_state_dict(weights)
        found[precision] = losses, share_right(predict(network, digits, digits.test).argmax(1), digits.test.labels)
    (exact, right), (rough, nearly) = found.values()
    assert exact != rough
    np.testing.assert_allclose(rough, exact, rtol=0.15)
    assert nearly > right - 0.15


@pytest.mark.parametrize("name", METHODS)
def test_a_search_of_shared_weights_takes_steps_in_bfloat16(name, digits):
    few, losses = replace(digits, train=digits.train.pick(torch.arange(128))), []
    images = digits.normalise(digits.test.images[:64])
    held_out = HeldOut(images, images, digits.test.labels[:64], False)
    for precision in ("fp32", "bf16"):
        problem = replace(problem_of(name, held_out), held_out=held_out, precision=precision)
        search = make_method(name, METHODS[name]).begin(problem)
        losses.append(search.train_epoch(0, train_batches(few, 64, 0, 0))[0])
        assert {p.dtype for p in search.supernet.parameters()} == {torch.float32}
    exact, rough = losses
    assert rough != exact
    assert rough == pytest.approx(exact, rel=0.05)


def test_a_predictor_that_is_asked_in_the_middle_of_a_step_answers_as_ever():
    space, rng = Planted(), np.random.default_rng(0)
    code = moves.encode(space, [moves.sample(space, rng) for _ in range(20)])
    predictor = MlpPredictor(space.costs()).fit(code, code.sum((1, 2)) + code[:, 0, 1])
    with in_precision("bf16", CPU):
        there = predictor.predict(code)
    assert there.tolist() == predictor.predict(code).tolist()
