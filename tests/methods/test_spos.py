"""SPOS and HURRICANE: one path a step, candidates judged as said, two stages that leave each other's layers alone."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.methods import candidates, hurricane
from surgenas.methods.candidates import HeldOut, accuracies
from surgenas.methods.hurricane import Hurricane, HurricaneConfig
from surgenas.methods.spos import SPOS, SPOSConfig
from surgenas.predictors.linear import FlopsPredictor
from surgenas.spaces.operators import Shuffle
from surgenas.tasks.data import hold_out
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training.augment import steps_per_epoch, train_batches

BATCH = 64
FAST = {"population": 12, "generations": 2, "mutations": 6, "crossovers": 6}


@pytest.fixture(scope="module")
def halves(digits):
    data, aside = hold_out(digits, 0.2, 2000, 0)
    calibration = data.normalise(data.train.images[::5][:128])
    return data, HeldOut(calibration, data.normalise(aside.images), aside.labels)


def make(kind, config, halves, predictor=None, limit_ms=2.0, space=None):
    data, held_out = halves
    space = space or Planted()
    return kind(
        space, config, predictor or ZeroPredictor(space.costs()), limit_ms, seed=0, device=torch.device("cpu"),
        steps_per_epoch=steps_per_epoch(data, BATCH), held_out=held_out,
    )  # fmt: skip


def run(method, halves, first, last):
    return [method.run_epoch(e, train_batches(halves[0], BATCH, 0, e)) for e in range(first, last)]


def batch(halves):
    return next(train_batches(halves[0], 8, 0, 0))


def anywhere(archs):
    return np.ones(len(archs))


def test_what_is_held_out_is_neither_trained_on_nor_lost(digits):
    data, aside = hold_out(digits, 0.2, 50, 0)
    assert len(aside) == 50
    assert len(data.train) == len(digits.train) - 50
    assert data.test is digits.test
    bytes_of = [{image.numpy().tobytes() for image in part.images} for part in (data.train, aside, digits.train)]
    assert bytes_of[0] | bytes_of[1] == bytes_of[2]


def test_only_the_path_that_ran_is_changed(halves):
    method = make(SPOS, SPOSConfig(epochs=2), halves)
    method.step(*batch(halves), 0)  # momentum of these operators is there now
    before = copy.deepcopy(method.supernet.state_dict())
    (path,) = method._draw(1)
    method.step(*batch(halves), 1)
    changed = {name for name, value in method.supernet.state_dict().items() if not torch.equal(value, before[name])}
    touched = {(int(n.split(".")[1]), int(n.split(".")[3])) for n in changed if n.startswith("layers")}
    assert touched == set(enumerate(path))


def test_fair_orderings_train_every_operator_once_a_step(halves):
    method = make(SPOS, SPOSConfig(epochs=2, sampler="fair"), halves)
    paths = method._draw(0)
    assert len(paths) == 4
    assert all(sorted(column) == [0, 1, 2, 3] for column in zip(*paths, strict=True))


def test_paths_are_uniform(halves):
    method = make(SPOS, SPOSConfig(epochs=2), halves)
    counts = np.bincount([k for i in range(400) for path in method._draw(i) for k in path], minlength=4)
    assert (np.abs(counts / counts.sum() - 0.25) < 0.03).all()


def test_candidates_sharing_work_are_judged_as_if_alone_and_the_supernet_stays_as_it_is(halves):
    method = make(SPOS, SPOSConfig(epochs=1), halves)
    run(method, halves, 0, 1)
    before = copy.deepcopy(method.supernet.state_dict())
    rng = np.random.default_rng(0)
    paths = [moves.indices(method.space, moves.sample(method.space, rng)) for _ in range(6)]
    paths += [(*paths[0][:4], 0, 2), (*paths[0][:4], 3, 2), paths[0]]
    paths = [tuple(0 if k == 1 else k for k in path) for path in paths]  # the planted operator draws noise
    together = accuracies(method.supernet, paths, halves[1])
    alone = [accuracies(method.supernet, [path], halves[1])[0] for path in paths]
    assert together == alone
    assert len(set(together)) > 1
    assert all(torch.equal(value, before[name]) for name, value in method.supernet.state_dict().items())


def test_what_is_judged_is_the_path_with_statistics_of_the_calibration_images(halves):
    """Against the plain way: the network cut out, its statistics from one pass of momentum 1."""
    method = make(SPOS, SPOSConfig(epochs=1), halves)
    run(method, halves, 0, 1)
    path = (0, 2, 3, 0, 2, 3)
    network = method.supernet.cut(path, method.space.build(moves.from_indices(method.space, path)))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(halves[1].calibration)
        plain = float((network.eval()(halves[1].images).argmax(1) == halves[1].labels).float().mean())
    assert accuracies(method.supernet, [path], halves[1]) == [pytest.approx(plain, abs=0.005)]


def test_prefixes_that_are_shared_are_computed_once(halves):
    judge = candidates.Judge(make(SPOS, SPOSConfig(epochs=1), halves).supernet, halves[1])
    calls = []
    for block in judge.supernet.layers:
        for op in block.ops:
            op.register_forward_hook(lambda *_: calls.append(1))
    for path in itertools.product((0, 2), repeat=6):
        judge.accuracy(path)
    assert len(calls) == 2 * sum(2**layer for layer in range(1, 7)), "calibration and judgement at every node of a tree"


def test_with_little_memory_the_first_layers_are_computed_again(halves, monkeypatch):
    supernet = make(SPOS, SPOSConfig(epochs=1), halves).supernet
    paths = [(0, 2, 0, 3, 0, k) for k in (0, 2, 3)]
    expected = accuracies(supernet, paths, halves[1])
    monkeypatch.setattr(candidates, "HELD", 1)
    assert accuracies(supernet, paths, halves[1]) == expected


def test_evolution_avoids_the_planted_operator_and_stays_in_the_window(halves):
    space = Planted()
    predictor = FlopsPredictor(space.costs())
    code = moves.encode(space, [moves.uniform(space, op) for op in space.choices[0].options])
    predictor.fit(code, (code * space.costs().macs).sum((1, 2)) / 1e6)

    def latency(archs):
        return predictor.predict(moves.encode(space, archs))

    larger = {"population": 30, "generations": 5, "mutations": 15, "crossovers": 10}
    method = make(SPOS, SPOSConfig(epochs=10, sampler="fair", **larger), halves)
    run(method, halves, 0, 10)
    window = (0.0, float(latency([moves.uniform(space, "k5e3")])[0]) * 1.05)
    found = method.propose(latency, window, 5, np.random.default_rng(0))
    assert len(found) == len(set(found)) == 5
    assert all(latency([arch])[0] <= window[1] for arch in found)
    assert found[0].genes.count("bad") == 0, "a random architecture has one and a half"
    assert method.propose(latency, window, 5, np.random.default_rng(0)) == found


def test_a_window_that_nothing_meets_is_an_empty_answer(halves):
    method = make(SPOS, SPOSConfig(epochs=1, **FAST), halves)
    assert method.propose(anywhere, (2.0, 3.0), 5, np.random.default_rng(0)) == []


@pytest.mark.parametrize("kind", [SPOS, Hurricane])
def test_interrupted_between_any_two_epochs_it_proposes_the_same(kind, halves):
    config = kind.Config(epochs=2, **FAST)
    whole = make(kind, config, halves)
    run(whole, halves, 0, 2)
    for cut in (1, 2):
        part = make(kind, config, halves)
        run(part, halves, 0, cut)
        again = make(kind, config, halves)
        again.load_state_dict(copy.deepcopy(part.state_dict()))
        run(again, halves, cut, 2)
        for (name, a), b in zip(whole.supernet.state_dict().items(), again.supernet.state_dict().values(), strict=True):
            assert torch.equal(a, b), name
        window = (0.0, 2.0)
        proposed = [m.propose(anywhere, window, 3, np.random.default_rng(1)) for m in (whole, again)]
        assert proposed[0] == proposed[1]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_first_stage_searches_the_later_layers_and_the_second_the_others(halves, backwards):
    method = make(Hurricane, HurricaneConfig(epochs=5, early=2, reversed=backwards, **FAST), halves)
    first, second = ({2, 3, 4, 5}, {0, 1}) if not backwards else ({0, 1}, {2, 3, 4, 5})
    assert (set(method.first), set(method.second)) == (first, second)
    assert method.first_epochs == (3 if not backwards else 2)
    assert all(method._draw(i)[0][layer] == 0 for i in range(20) for layer in second), "best-scoring comes first"
    assert {path[min(first)] for i in range(60) for path in method._draw(i)} == {0, 1, 2, 3}
    run(method, halves, 0, method.first_epochs + 1)
    a1 = method.space.architecture(method.a1)
    assert all(a1.genes[layer] == method.space.choices[layer].options[0] for layer in second)
    fixed = moves.indices(method.space, a1)
    assert all(path[layer] == fixed[layer] for i in range(20) for path in method._draw(i) for layer in first)
    found = method.propose(anywhere, (0.0, 2.0), 5, np.random.default_rng(0))
    assert all(arch.genes[layer] == a1.genes[layer] for arch in found for layer in first)
    assert method.judge(found[:1])[0] >= method.judge([a1])[0]


def test_layers_are_split_at_a_stage_boundary(halves):
    small = make(Hurricane, HurricaneConfig(epochs=2), halves, space=Shuffle(layout="small", resolution=16, classes=10))
    assert list(small.second) == [0, 1, 2, 3, 4], "two layers, then three"
    assert hurricane._stage_boundary(Shuffle()) == 8


def test_a_cold_second_stage_starts_from_fresh_weights(halves):
    cold = make(Hurricane, HurricaneConfig(epochs=2, warm=False, **FAST), halves)
    fresh = copy.deepcopy(cold.supernet.state_dict())
    run(cold, halves, 0, 1)
    seen = []
    cold.step = lambda images, labels, index: seen.append(copy.deepcopy(cold.supernet.state_dict())) or (1.0, 0.0, 0.0)
    run(cold, halves, 1, 2)
    assert all(torch.equal(value, fresh[name]) for name, value in seen[0].items())
    assert not cold.optimizer.state
    assert {id(p) for p in cold.optimizer.param_groups[0]["params"]} == {id(p) for p in cold.supernet.parameters()}


def test_the_first_stage_ends_near_the_limit_where_it_can(halves):
    space = Planted()
    predictor = FlopsPredictor(space.costs())
    predictor.set(space.costs().macs / 1e6, 0.0)
    part = make(Hurricane, HurricaneConfig(epochs=2, early=2), halves).part
    reachable = np.unique(predictor.predict(moves.encode(space, list(moves.enumerate_all(part)))))
    limit_ms = 1.001 * float(reachable[len(reachable) // 2])
    method = make(Hurricane, HurricaneConfig(epochs=2, early=2, **FAST), halves, predictor, limit_ms)
    assert 0.95 * limit_ms <= method._predicted([method._first_found()])[0] <= limit_ms
    method.limit_ms = 1.1 * float(reachable[0])  # the window near it may be empty
    assert method._predicted([method._first_found()])[0] <= method.limit_ms


def test_a_first_stage_that_nothing_fits_takes_the_cheapest_later_layers(halves):
    method = make(Hurricane, HurricaneConfig(epochs=2, early=2, **FAST), halves, limit_ms=0.5)  # everything takes 1 ms
    a1 = moves.indices(method.space, method._first_found())
    macs = method.space.costs().macs
    assert a1[:2] == (0, 0)
    assert list(a1[2:]) == macs[2:].argmin(1).tolist()


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [(SPOS, {"sampler": "ods"}, "one of spos, fair"), (SPOS, {"epochs": 0}, "at least 1"),
     (SPOS, {"population": 0}, "1 or more"), (Hurricane, {"epochs": 1}, "at least 2"),
     (Hurricane, {"keep": 0}, "1 or more"),
     (Hurricane, {"early": 6}, "expected 1 to 5")],
)  # fmt: skip
def test_settings_that_make_no_search(kind, wrong, said, halves):
    with pytest.raises(UsageError, match=said):
        make(kind, kind.Config(**wrong), halves)
