"""All shapes of one network with its weights: each path computes as its network by itself, and trains only its own."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch

from surgenas.nn.elastic import Shape, checked, cut, trace
from surgenas.nn.elastic.supernet import ElasticSupernet, resized
from surgenas.nn.supernet import Gates

SIDES = (6, 8)


def form_of(structure, path):
    """A path says the width of every group, whether blocks are off, then the input's side."""
    *widths, off, side = path
    chosen = {group.name: group.widths[k] for group, k in zip(structure.groups, widths, strict=True)}
    return Shape(chosen, structure.blocks if off else ()), SIDES[side]


@pytest.fixture
def supernet(make) -> ElasticSupernet:
    network, images = make("residual"), torch.randn(1, 3, 8, 8)
    structure = checked(network, trace(network, images, 2), images)
    return ElasticSupernet(network, structure, partial(form_of, structure))


@pytest.fixture
def paths(supernet) -> list[tuple[int, ...]]:
    largest = [len(group.widths) - 1 for group in supernet.structure.groups]
    return [(*largest, 0, 1), (*largest, 1, 0), *((k,) * len(largest) + (0, k) for k in (0, 1))]


@pytest.mark.parametrize("training", [False, True])
def test_a_path_computes_as_its_network_by_itself_bit_for_bit(supernet, paths, training):
    images = torch.randn(4, 3, 8, 8)
    supernet.train(training)
    for path in paths:
        shape, side = supernet.form_of(path)
        alone = cut(supernet.network, supernet.structure, shape)
        with torch.no_grad():
            expected = alone(resized(images, side))
            assert torch.equal(supernet.alone(path)(resized(images, side)), expected)
            assert torch.equal(supernet.at(images, path), expected)


@torch.no_grad()
def test_each_image_can_have_a_path_of_its_own(supernet, paths):
    """But one height and width, and one kernel, those of the first path."""
    images = torch.randn(len(paths), 3, 8, 8)
    supernet.eval()
    side = supernet.form_of(paths[0])[1]
    same = [path for path in paths if supernet.form_of(path)[1] == side]
    found = supernet.at_each(images[: len(same)], same)
    for i, path in enumerate(same):
        assert torch.allclose(found[i], supernet.at(images[i : i + 1], path)[0], atol=1e-5)
    mixed = supernet.at_each(images, [paths[0], *paths[1:]])
    assert mixed.shape == (len(paths), 3)
    assert torch.allclose(mixed[0], supernet.at(images[:1], paths[0])[0], atol=1e-5)


def test_gates_say_a_path_and_hear_nothing(supernet, paths):
    images, gates = torch.randn(2, 3, 8, 8), Gates.one_hot(paths[2], 9)
    supernet.eval()
    expected = supernet.at(images, paths[2])
    assert torch.equal(supernet(images, gates, 0.7), expected)
    assert torch.equal(supernet.after_stem(supernet.stem(images), gates, 0.7), expected)
    with pytest.raises(ValueError, match="one path at a time"):
        supernet(images, Gates(gates.weights, None))


def test_what_a_path_leaves_out_is_not_trained(supernet, paths):
    supernet.at(torch.randn(2, 3, 8, 8), paths[2]).sum().backward()
    first = supernet.network[0][0].weight
    few = supernet.structure.by_name["0.0"].widths[0]
    assert first.grad[:few].abs().sum() > 0
    assert first.grad[few:].abs().sum() == 0


def test_a_network_by_itself_has_weights_of_its_own(supernet, paths):
    before = copy.deepcopy(supernet.state_dict())
    alone = supernet.alone(paths[0])
    with torch.no_grad():
        for p in alone.parameters():
            p.add_(1.0)
    assert all(torch.equal(value, before[name]) for name, value in supernet.state_dict().items())


def test_cutting_fills_a_network_of_the_path_and_no_other(supernet, paths, make):
    fresh = cut(make("residual"), supernet.structure, supernet.form_of(paths[3])[0])
    images = torch.randn(2, 3, 6, 6)
    supernet.eval()
    with torch.no_grad():
        network = supernet.cut(paths[3], fresh).eval()
        assert network is fresh
        assert torch.equal(network(resized(images, 8)), supernet.at(resized(images, 8), paths[3]))
    with pytest.raises(RuntimeError, match="size mismatch"):
        supernet.cut(paths[2], fresh)


def test_it_begins_with_weights_that_it_is_given(supernet, paths, make, differ):
    torch.manual_seed(7)
    trained = make("residual")
    images = torch.randn(2, 3, 8, 8)
    supernet.eval()
    before = supernet.at(images, paths[0])
    supernet.begin_with(trained.state_dict())
    assert torch.equal(supernet.at(images, paths[0]), trained(images))
    assert not torch.equal(supernet.at(images, paths[0]), before)
    with pytest.raises(RuntimeError, match=r"0\.0\.weight"):
        supernet.begin_with({name: value for name, value in trained.state_dict().items() if name != "0.0.weight"})


def test_images_become_smaller_by_averaging_and_stay_if_they_fit():
    images = torch.rand(2, 3, 8, 8)
    assert resized(images, 8) is images
    small = resized(images, 4)
    assert small.shape == (2, 3, 4, 4)
    assert small.std() < images.std()
    assert torch.allclose(resized(torch.full((1, 3, 8, 8), 0.3), 6), torch.full((1, 3, 6, 6), 0.3))
