"""Costs of cells by formula, against the networks as built: every layer's MACs, weights and bytes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.nn.cost import count, work_of
from surgenas.predictors.base import make_predictor
from surgenas.spaces.concat import Concat

SPACES = {
    "plain": Concat(resolution=16, classes=7),
    "separable": Concat(resolution=16, classes=7, convolution="separable"),
    "uneven": Concat(resolution=9, cells=2, widths="4,6/8,9,10", depths="1,2,4/3", links="0,3,50/2", stem_stride=1),
    "one cell": Concat(resolution=8, cells=1, widths="4,6", stem=5),
}
named = pytest.mark.parametrize("name", SPACES)


def counted(space: Concat, arch) -> np.ndarray:
    """(cells, 3): MACs, weights, bytes moved of each cell as built, the head's counted with the last cell's."""
    with torch.device("meta"):
        network = space.build(arch)
    found = np.zeros((space.cell_count, 3))
    for work in work_of(network, space.input_shape, (nn.Conv2d, nn.Linear))[1]:
        place, *rest = work.name.split(".")
        if place == "stem":
            continue
        weights = network.get_parameter(f"{work.name}.weight").numel()
        row = int(rest[0]) if place == "layers" else space.cell_count - 1
        found[row] += [work.macs, weights, 4 * (work.values + weights)]
    return found


@named
def test_every_cell_costs_what_it_costs_when_built(name):
    space = SPACES[name]
    archs = moves.sample_many(space, 5, np.random.default_rng(0))
    counts = space.costs().counts(torch.from_numpy(moves.encode(space, archs)))
    for arch, found in zip(archs, counts, strict=True):
        assert found.numpy() == pytest.approx(counted(space, arch))


@named
def test_with_the_stem_these_are_all_macs(name):
    space = SPACES[name]
    archs = moves.sample_many(space, 5, np.random.default_rng(1))
    with torch.device("meta"):
        built = [count(space.build(arch), space.input_shape)[0] for arch in archs]
    assert space.costs().macs_of(moves.encode(space, archs)) == pytest.approx(np.array(built))


def test_a_cell_costs_more_behind_a_wider_one():
    """The first convolution of the second cell: 9 x 24 x 4 weights more, at 4 x 4 pixels of half the stem's 8 x 8."""
    space = Concat(resolution=16, widths="8,12/24/24", depths="5", links="0")
    narrow, wide = space.costs().counts(torch.eye(2).double()[torch.tensor([[0, 0, 0], [1, 0, 0]])])[:, 1]
    assert (wide - narrow).tolist() == [9 * 24 * 4 * 16, 9 * 24 * 4, 4 * (4 * 64 + 9 * 24 * 4)]


@named
def test_the_table_says_what_options_add_to_the_least(name):
    space = SPACES[name]
    costs = space.costs()
    assert not costs.adds_up
    assert (costs.macs[:, 0] == 0).all()
    assert min(costs.macs.min(), costs.params.min(), costs.moved_bytes.min()) >= 0
    largest = space.architecture(tuple(choice.options[-1] for choice in space.choices))
    assert space.canonical(moves.decode(space, costs.macs)) == space.canonical(largest)


def test_predictors_learn_from_them_what_a_sum_of_choices_cannot_say():
    """A latency of MACs alone: within a few percent from 60 networks."""
    space = SPACES["plain"]
    archs = moves.sample_many(space, 160, np.random.default_rng(0))
    code = moves.encode(space, archs)
    ms = space.costs().macs_of(code) * 1e-6
    found = make_predictor("process", space.costs(), 0).fit(code[:60], ms[:60]).predict(code[60:])
    assert np.abs(found / ms[60:] - 1).mean() < 0.02
