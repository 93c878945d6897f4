"""Dropped paths and a second classifier: only where there are any, only in training, and no part of what is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.spaces.darts import Darts
from surgenas.spaces.nasbench201 import NASBench201
from surgenas.testing import Planted
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit
from surgenas.training.regularize import both_losses, kept, regularize, set_drop_path

SPACE = Darts(channels=4, layers=3, resolution=8)
ARCH = moves.sample(SPACE, np.random.default_rng(0))


def network(space=SPACE):
    torch.manual_seed(0)
    return space.build(moves.sample(space, np.random.default_rng(0)))


def test_paths_are_dropped_for_each_image_in_training_alone_and_their_mean_stays():
    cell = NASBench201(channels=4, repeats=1, resolution=8)
    net = cell.build(cell.architecture(("nor_conv_1x1",) * 6))
    inside = net.parts[1]
    x = torch.randn(512, 4, 8, 8)
    inside.eval()
    whole = inside(x)
    set_drop_path(net, 0.5)
    assert torch.equal(inside(x), whole)
    inside.drop.train()
    dropped = inside(x)
    assert not torch.equal(dropped, whole)
    some = [inside.edges[0](x)[i] for i in range(512)]
    seen = inside.drop(torch.stack(some))
    zeros = (seen.flatten(1) == 0).all(1).float().mean()
    assert abs(float(zeros) - 0.5) < 0.1


def test_an_identity_is_never_dropped():
    cell = NASBench201(channels=4, repeats=1, resolution=8)
    inside = cell.build(cell.architecture(("skip_connect",) * 6)).parts[1]
    x = torch.randn(8, 4, 8, 8)
    set_drop_path(inside, 0.9)
    assert torch.equal(inside.train()(x), 4 * x), "0 to 1, to 2 directly and by 1, to 3 by all of these"


def test_a_second_classifier_is_heard_in_training_alone_and_left_out_of_what_is_kept():
    net = network()
    before = set(net.state_dict())
    regularize(net, drop_path=0.2, auxiliary=0.4)
    x, labels = torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 2, 3])
    logits, second = net.train()(x)
    assert logits.shape == second.shape == (4, 10)
    assert isinstance(net.eval()(x), torch.Tensor)
    assert set(kept(net.state_dict())) == before < set(net.state_dict())
    criterion = nn.CrossEntropyLoss()
    both = both_losses(criterion, (logits, second), labels, 0.4)
    assert torch.isclose(both, criterion(logits, labels) + 0.4 * criterion(second, labels))
    assert torch.equal(both_losses(criterion, logits, labels, 0.4), criterion(logits, labels))


def test_the_published_second_classifier_reads_maps_of_eight_by_eight():
    net = Darts(channels=4, layers=4).build(Darts(channels=4, layers=4).architecture(ARCH.genes))
    net.add_auxiliary()
    pool = next(m for m in net.auxiliary if isinstance(m, nn.AvgPool2d))
    assert (pool.kernel_size, pool.stride) == (5, 3)
    assert net.train()(torch.randn(2, 3, 32, 32))[1].shape == (2, 10)


@pytest.mark.parametrize(("how", "said"), [({"drop_path": 0.2}, "--drop-path"), ({"auxiliary": 0.4}, "--auxiliary")])
def test_networks_that_have_neither_are_refused_in_one_line(how, said):
    with pytest.raises(UsageError, match=said) as caught:
        regularize(network(Planted()), **{"drop_path": 0.0, "auxiliary": 0.0, **how})
    assert "--space darts" in str(caught.value)


def test_a_training_with_all_of_it_returns_the_network_as_it_is_built(digits):
    recipe = Recipe(epochs=1, batch=512, cutout=4, drop_path=0.3, auxiliary=0.4)
    found = fit(make_fabric("cpu"), lambda: SPACE.build(ARCH), digits, recipe, seed=0)
    SPACE.build(ARCH).load_state_dict(found)
