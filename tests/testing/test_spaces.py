"""The contract checks of spaces and predictors: a good one passes, and one that breaks a single promise is found."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core.architecture import Architecture
from surgenas.predictors.base import Predictor
from surgenas.predictors.linear import FlopsPredictor
from surgenas.spaces.macro import Macro
from surgenas.spaces.restricted import Restricted
from surgenas.testing.doubles import Planted
from surgenas.testing.spaces import check_predictor, check_space

COSTS = Planted().costs()
TURNS = itertools.count()


def broken(**members):
    """A space that does all as a good one, but for these members."""
    return type("Broken", (Planted,), members)()


def supernet(**members):
    """A space whose supernet does all as a good one, but for these."""

    def make(space):
        good = Planted.supernet(space)
        good.__class__ = type("BrokenSupernet", (type(good),), members)
        return good

    return broken(supernet=make)


class Turning(Restricted):
    """Its options stand in another order each time."""

    @property
    def choices(self):
        k = next(TURNS) % 3
        return tuple(replace(c, options=c.options[k:] + c.options[:k]) for c in self.whole.choices)


def one_for_all(net, x_NCHW, path, eta=0.0):
    return type(net).__mro__[1].at(net, x_NCHW, (0,) * 6, eta)


def one_for_sums(net, x_NCHW, gates, eta=0.0):
    found = type(net).__mro__[1].forward(net, x_NCHW, gates, eta)
    return found if gates.path else 2 * found


def test_a_space_need_neither_say_costs_nor_share_weights():
    """One that does both and passes is the planted one (test_doubles), of which the broken ones are made."""
    check_space(Restricted(Macro(resolution=8), {0: "k3e3"}))


BROKEN_SPACES = {
    "a setting hides the name": broken(settings={"name": "x"}),
    "options change their order": Turning(Macro(resolution=8), {}),
    "the canonical of a canonical is another": broken(
        canonical=lambda self, arch: Architecture(arch.space, arch.genes[1:] + arch.genes[:1])
    ),
    "macs of an operator": broken(costs=lambda self: replace(COSTS, macs=1.01 * COSTS.macs)),
    "macs of stem and head": broken(costs=lambda self: replace(COSTS, fixed_macs=2 * COSTS.fixed_macs)),
    "parameters of an operator": broken(costs=lambda self: replace(COSTS, params=COSTS.params + 1)),
    "parameters of stem and head": broken(costs=lambda self: replace(COSTS, fixed_params=COSTS.fixed_params + 1)),
    "edges of fewer layers": broken(costs=lambda self: replace(COSTS, wiring=((0, 1), (1, 2)))),
    "a cut network has fresh weights": supernet(cut=lambda net, path, network: network),
    "a path is not what runs": supernet(at=one_for_all),
    "all operators are not summed by their gates": supernet(forward=one_for_sums),
}


@pytest.mark.parametrize("what", BROKEN_SPACES)
def test_a_space_that_breaks_a_law_is_found(what):
    with pytest.raises(AssertionError):
        check_space(BROKEN_SPACES[what])


class Good(FlopsPredictor):
    """As exact as the made latencies of the check, which follow MACs."""


class Undifferentiable(Good):
    """It cannot be part of a gradient search, and says so."""

    differentiable = False

    def predict_relaxed(self, gates_NLK):
        return super().predict_relaxed(gates_NLK).detach()


class Flat(Good):
    """It says that a gradient passes through; none arrives."""

    def predict_relaxed(self, gates_NLK):
        return super().predict_relaxed(gates_NLK).detach() + 0 * gates_NLK.sum((1, 2))


class Mean(Predictor):
    """It learns the mean alone."""

    def learn(self, code_NLK, latency_ms_N):
        self.mean = float(latency_ms_N.mean())

    def predict_relaxed(self, gates_NLK):
        return self.mean + 1e-6 * gates_NLK[:, :, 0].sum(1)


class Spilling(Good):
    """Its learning draws from the random state that is everybody's."""

    def learn(self, code_NLK, latency_ms_N):
        torch.rand(1)
        super().learn(code_NLK, latency_ms_N)


class Sure(Good):
    """It is never in doubt."""

    def uncertainty(self, code_NLK):
        return np.zeros(len(code_NLK))


class Brief(Good):
    """One doubt for all, in one number."""

    def uncertainty(self, code_NLK):
        return np.ones(1)


class TwoFaced(Good):
    """What a gradient search sees is not what it predicts."""

    def predict(self, code_NLK):
        return 1.001 * super().predict(code_NLK)


@pytest.mark.parametrize("kind", [Good, Undifferentiable])
def test_a_good_predictor_passes(kind):
    check_predictor(f"{__name__}:{kind.__name__}", COSTS)


@pytest.mark.parametrize("kind", [Flat, Mean, Spilling, Sure, Brief, TwoFaced])
def test_a_predictor_that_breaks_a_promise_is_found(kind):
    with pytest.raises(AssertionError):
        check_predictor(f"{__name__}:{kind.__name__}", COSTS)
