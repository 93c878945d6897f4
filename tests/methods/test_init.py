"""The catalogue of methods: all are made from a person's words, and all keep the contract of a search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.core.work import Price
from surgenas.engine.here import Here
from surgenas.engine.tabular import Tabular, World
from surgenas.methods import CATALOG, make_method
from surgenas.methods.base import Method, Problem
from surgenas.methods.blackbox import list_networks
from surgenas.methods.regularized import RegularizedEvolution
from surgenas.spaces.single_path import SinglePath
from surgenas.tasks.data import Images
from surgenas.testing import Planted, ZeroPredictor, check_search
from surgenas.training.augment import steps_per_epoch
from surgenas.training.loop import Recipe
from tests.methods.toys import Player, Toy, problem_of, thousands

PACKAGES = {"nsga2": "pymoo", "optuna-tpe": "optuna", "optuna-nsga2": "optuna", "nevergrad": "nevergrad"}
SHARING = ("surgenas", "single-path", "spos", "hurricane", "darts", "la-darts", "parsec", "fp-nas")
SHRINKING = ("netadapt", "netadaptv2")
EVOLVED = {"population": 4, "generations": 1, "mutations": 2, "crossovers": 2}
BRIEF = {
    "surgenas": {"epochs": 2, "warmup": 0.5},
    "single-path": {"epochs": 2, "warmup": 0.5},
    "spos": {"epochs": 2, **EVOLVED},
    "hurricane": {"epochs": 2, **EVOLVED},
    "darts": {"epochs": 2},
    "la-darts": {"epochs": 2},
    "parsec": {"epochs": 2, "samples": 2},
    "fp-nas": {"epochs": 2},
    "netadapt": {"epochs": 1, "short_steps": 1, "step": 0.2},
    "netadaptv2": {"epochs": 1, "samples": 4, "step": 0.1},
}


def made(name, **settings):
    pytest.importorskip(PACKAGES.get(name, "numpy"))
    return make_method(name, settings)


@pytest.fixture(scope="module")
def world(macro) -> World:
    """Made scores: a rough one, and the one that is reported; latency rises with the operators."""
    code, rng = list_networks(macro).code, np.random.default_rng(0)
    score = (code * rng.normal(size=code.shape[1:])).sum((1, 2))
    rough = score + rng.normal(size=len(score))
    return World(macro, np.stack([rough, score]), score, latency_ms=1.0 + code[:, :, 1:].sum((1, 2)), limit_ms=7.0)


@pytest.mark.parametrize("name", CATALOG)
def test_every_catalogued_method_is_made_from_its_defaults(name):
    method = made(name)
    assert isinstance(method, Method)
    assert method.name == name
    assert method == made(name), "a value"


@pytest.mark.parametrize("name", SHARING)
def test_a_search_of_shared_weights_keeps_the_contract(name, halves):
    data, held_out = halves
    few = replace(data, train=data.train.pick(torch.arange(64)))
    seen = replace(held_out, images=held_out.images[:40], labels=held_out.labels[:40])
    space = SinglePath(layout="small", resolution=16, classes=10) if name == "single-path" else Planted()
    recipe = Recipe(epochs=1, batch=32)
    problem = Problem(
        space, 1.0, 0, predictor=ZeroPredictor(space.costs()), steps_per_epoch=steps_per_epoch(few, 32), held_out=seen
    )
    work = check_search(made(name, **BRIEF[name]), problem, Here(Images(few, few), recipe, (recipe,), space, 0))
    assert len(work) == 2


@pytest.mark.parametrize("priced", [True, False])
@pytest.mark.parametrize("name", SHRINKING)
def test_a_search_that_shrinks_a_network_keeps_the_contract(name, priced):
    space = Toy()
    problem = problem_of(space, 0.6, priced=priced)
    work = check_search(made(name, **BRIEF[name]), problem, Player(lambda arch: thousands(space, arch)))
    assert sum(isinstance(done, Price) for done in work) == (len(work) // 2 if priced else 0), "one for each network"


@pytest.mark.parametrize("name", [name for name in CATALOG if name not in (*SHARING, *SHRINKING, "darts-pt")])
def test_a_search_of_sampled_candidates_keeps_the_contract(name, macro, world):
    few = {"race": {"networks": 4}, "drawn": {}}.get(name, {"trials": 8})
    method = made(name, **few, **({"first": 4, "batch": 4} if name.startswith("weaknas") else {}))
    rungs = (0.25, 1.0) if method.needs(macro).rungs > 1 else (1.0,)
    steering = world if len(rungs) > 1 else replace(world, scores=world.scores[1:])
    problem = Problem(macro, 7.0, 0, feasible=world.feasible, rungs=rungs)
    assert bool(check_search(method, problem, Tabular(steering))) == method.needs(macro).searches
    if name == "random":
        check_search(method, replace(problem, priced=False), Tabular(steering))


def test_a_setting_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(UsageError, match=r"--set: spos has no setting 'epoch'; one of .*population.*epochs"):
        make_method("spos", {"epoch": 3})
    with pytest.raises(UsageError, match="no setting 'climbs'"):
        make_method("halving", {"climbs": True})


@pytest.mark.parametrize(
    ("name", "setting", "value", "says"),
    [
        ("surgenas", "sampler", "magic", "'ods', 'fair', 'gdas', 'spos' or 'darts'"),
        ("surgenas", "weight_lr", 0, "greater than 0"),
        ("surgenas", "warmup", 1.0, "less than 1"),
        ("surgenas", "eta", float("inf"), "finite"),
        ("single-path", "faithful", "perhaps", "boolean"),
        ("spos", "weight_lr", True, "no truth value"),
        ("random", "trials", False, "no truth value"),
        ("nevergrad", "optimizer", "Nope", "no optimizer of that name"),
        ("random", "trials", 0, "greater than or equal to 1"),
        ("random", "batch", 1.5, "integer"),
        ("weaknas", "predictor", "oracle", "'mlp', 'forest', 'boosting', 'degree'"),
    ],
)
def test_a_value_that_will_not_do_is_named_with_what_is_expected(name, setting, value, says):
    with pytest.raises(UsageError, match=f"--set {setting}={value}: .*{says}"):
        make_method(name, {setting: value})


def test_a_name_that_is_no_method_is_refused():
    with pytest.raises(UsageError, match="unknown method 'magic'; one of darts, darts-pt, drawn, evolution, flash"):
        make_method("magic", {})
    for path in ("surgenas.core.moves:size", "surgenas.methods.base:Problem"):
        with pytest.raises(UsageError, match="is no search method; expected a dataclass"):
            make_method(path, {})


def test_a_method_from_outside_is_named_by_its_path():
    found = make_method("surgenas.methods.regularized:RegularizedEvolution", {"population": 7, "tournament": 3})
    assert found == RegularizedEvolution(population=7, tournament=3)


def test_settings_are_read_as_a_person_writes_them():
    assert make_method("surgenas", {"epochs": "3", "leak": "true"}).epochs == 3


@pytest.mark.parametrize("name", SHARING)
def test_what_it_needs_is_known_without_beginning(name):
    space = SinglePath(layout="small", resolution=16, classes=10) if name == "single-path" else Planted()
    needs = make_method(name, {}).needs(space)
    assert needs.shares
    assert needs.passes >= 1
    assert not needs.trained
    assert (needs.data == "held out") == bool(needs.judged)


def test_candidates_trained_by_themselves_are_counted(macro):
    assert moves.size(macro) > make_method("random", {"trials": 9}).needs(macro).trained == 9
