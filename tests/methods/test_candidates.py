"""Paths of a trained supernet are judged as said, and share their work without harm."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.methods import candidates
from surgenas.methods.candidates import accuracies, accuracy_alone
from surgenas.nn.elastic.supernet import resized
from surgenas.spaces.elastic import Elastic
from surgenas.tasks.data import hold_out
from surgenas.testing import Planted

SPACE = Planted()


@pytest.fixture(scope="module")
def supernet(halves):
    """Used, so that its statistics and those of its paths differ."""
    torch.manual_seed(0)
    made = SPACE.supernet().train()
    for k in (0, 2, 3):
        made.at(halves[1].calibration[:32], (k,) * 6)
    return made


def test_what_is_held_out_is_neither_trained_on_nor_lost(digits):
    data, aside = hold_out(digits, 0.2, 50, 0)
    assert len(aside) == 50
    assert len(data.train) == len(digits.train) - 50
    assert data.test is digits.test
    bytes_of = [{image.numpy().tobytes() for image in part.images[:]} for part in (data.train, aside, digits.train)]
    assert bytes_of[0] | bytes_of[1] == bytes_of[2]


def test_candidates_sharing_work_are_judged_as_if_alone_and_the_supernet_stays_as_it_is(halves, supernet):
    before = copy.deepcopy(supernet.state_dict())
    rng = np.random.default_rng(0)
    paths = [moves.indices(SPACE, moves.sample(SPACE, rng)) for _ in range(6)]
    paths += [(*paths[0][:4], 0, 2), (*paths[0][:4], 3, 2), paths[0]]
    paths = [tuple(0 if k == 1 else k for k in path) for path in paths]  # the planted operator draws noise
    together = accuracies(supernet, paths, halves[1])
    alone = [accuracies(supernet, [path], halves[1])[0] for path in paths]
    assert together == alone
    assert len(set(together)) > 1
    assert all(torch.equal(value, before[name]) for name, value in supernet.state_dict().items())


def test_classes_count_alike_where_that_is_wanted(halves, supernet):
    """The mean of what each class's images alone give."""
    held_out, path = halves[1], (0, 2, 3, 0, 2, 3)
    plain = accuracies(supernet, [path], held_out)[0]
    sizes = held_out.labels.bincount()
    assert sizes.min() < sizes.max(), "else both are the same"
    shares = []
    for number in held_out.labels.unique():
        its = held_out.labels == number
        some = replace(held_out, images=held_out.images[its], labels=held_out.labels[its])
        shares.append(accuracies(supernet, [path], some)[0])
    balanced = accuracies(supernet, [path], replace(held_out, balanced=True))[0]
    assert balanced == pytest.approx(sum(shares) / len(shares))
    assert balanced != plain
    assert replace(held_out, balanced=True).to(torch.device("cpu")).balanced


def test_what_is_judged_is_the_path_with_statistics_of_the_calibration_images(halves, supernet):
    """Against the plain way: the network cut out, its statistics from one pass of momentum 1."""
    path = (0, 2, 3, 0, 2, 3)
    network = supernet.cut(path, SPACE.build(moves.from_indices(SPACE, path)))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(halves[1].calibration)
        plain = float((network.eval()(halves[1].images).argmax(1) == halves[1].labels).float().mean())
    assert accuracies(supernet, [path], halves[1]) == [pytest.approx(plain, abs=0.005)]


def test_prefixes_that_are_shared_are_computed_once(halves, supernet):
    judge = candidates.Judge(supernet, halves[1])
    calls = []
    for block in judge.supernet.layers:
        for op in block.ops:
            op.register_forward_hook(lambda *_: calls.append(1))
    for path in itertools.product((0, 2), repeat=6):
        judge.accuracy(path)
    assert len(calls) == 2 * sum(2**layer for layer in range(1, 7)), "calibration and judgement at every node of a tree"


def test_with_little_memory_the_first_layers_are_computed_again(halves, supernet):
    paths = [(0, 2, 0, 3, 0, k) for k in (0, 2, 3)]
    expected = accuracies(supernet, paths, halves[1])
    assert accuracies(supernet, paths, halves[1], held_bytes=1) == expected


# --- networks by themselves, as those of an elastic supernet are judged

ELASTIC = Elastic(network="test_resnet", resolution=16, classes=10, inputs=2)
PATHS = [moves.indices(ELASTIC, a) for a in moves.sample_many(ELASTIC, 3, np.random.default_rng(0))]


@pytest.fixture(scope="module")
def elastic():
    torch.manual_seed(0)
    return ELASTIC.supernet()


def by_hand(network, held_out) -> float:
    """One pass over the calibration images that sets the statistics, then what is said rightly."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(held_out.calibration)
        return float((network.eval()(held_out.images).argmax(1) == held_out.labels).float().mean())


def test_a_network_by_itself_is_judged_with_statistics_of_the_calibration_images(halves, elastic):
    held_out = replace(halves[1], images=halves[1].images[:500], labels=halves[1].labels[:500])
    for path in PATHS:
        network, same = elastic.alone(path), elastic.alone(path)
        assert accuracy_alone(network, held_out) == pytest.approx(by_hand(same, held_out), abs=0.005)
        assert not network.training
        assert all(p.requires_grad for p in network.parameters()), "it may be trained on"


def test_paths_of_an_elastic_supernet_are_judged_as_their_networks_at_their_size(halves, elastic):
    held_out = replace(halves[1], images=halves[1].images[:500], labels=halves[1].labels[:500])
    before = copy.deepcopy(elastic.state_dict())
    paths = [(k, *path[1:]) for path in PATHS for k in (0, 1)]
    sides = [elastic.form_of(path)[1] for path in paths]
    assert set(sides) == {8, 16}
    found = accuracies(elastic, [*paths, paths[0]], held_out)
    alone = [accuracy_alone(elastic.alone(p), held_out.at(side)) for p, side in zip(paths, sides, strict=True)]
    assert found == [*alone, alone[0]]
    assert len(set(found)) > 1
    assert all(torch.equal(value, before[name]) for name, value in elastic.state_dict().items())


def test_held_out_images_can_be_had_at_another_size(halves):
    small = halves[1].at(8)
    assert torch.equal(small.images, resized(halves[1].images, 8))
    assert small.calibration.shape[-2:] == (8, 8)
    assert torch.equal(small.labels, halves[1].labels)
    assert halves[1].at(16).images is halves[1].images
