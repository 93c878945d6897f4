"""Which networks are measured to learn from: as many as asked, different ones, the same for the same seed."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.runs.sampled import DEFAULT_SAMPLES, DIGITS_SAMPLES, draw_some, sample_networks, wanted_samples
from surgenas.spaces.mobile import Mobile
from surgenas.spaces.nasbench201 import NASBench201
from tests.runs.written import new_run


def test_as_many_as_asked_or_by_the_data(tmp_path, images):
    assert wanted_samples(new_run(tmp_path / "asked", samples=7)) == 7
    assert wanted_samples(new_run(tmp_path / "digits")) == DIGITS_SAMPLES
    assert wanted_samples(new_run(tmp_path / "images", data=images)) == DEFAULT_SAMPLES


def test_networks_are_different_and_the_same_for_the_same_seed(tmp_path):
    run = new_run(tmp_path / "run", samples=12)
    found = sample_networks(run)
    assert len({moves.canonical_key(run.space, arch) for arch in found}) == len(found) == 12
    assert sample_networks(new_run(tmp_path / "same", samples=12)) == found
    assert sample_networks(new_run(tmp_path / "other", samples=12, seed=1)) != found


def test_no_more_than_there_are(tmp_path):
    """Six layers of four operators, but asked for more than eight times as many."""
    run = new_run(tmp_path / "run", space="surgenas.testing:Planted", samples=520)
    found = sample_networks(run)
    assert 300 < len(found) <= 520
    assert len(set(found)) == len(found)


def test_what_uniform_draws_do_not_reach_is_drawn_with_a_preference():
    space = Mobile(layout="proxyless", resolution=32, classes=10)
    costs, asked = space.costs(), []

    def large(archs):
        asked.append(archs)
        return costs.macs_of(moves.encode(space, archs)) > 0.85 * costs.macs.max(1).sum() + costs.fixed_macs

    found = draw_some(space, large, 3, np.random.default_rng(0))
    assert len({moves.canonical_key(space, arch) for arch in found}) == len(found) == 3
    assert len(asked) == 2
    assert not large(asked[0]).any()
    assert len(draw_some(space, lambda archs: np.ones(len(archs), bool), 5, np.random.default_rng(0))) == 5


def test_each_network_is_drawn_once_however_many_codes_it_has():
    space = NASBench201(resolution=8)
    empty = space.architecture(("none",) * 6)

    def few(archs):
        return np.array([sum(gene == "none" for gene in arch.genes) >= 4 for arch in archs])

    found = draw_some(space, few, 10_000, np.random.default_rng(0))
    keys = [moves.canonical_key(space, arch) for arch in found]
    assert len(set(keys)) == len(keys)
    assert keys.count(moves.canonical_key(space, empty)) == 1
