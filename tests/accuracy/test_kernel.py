"""The score of an untrained network: what it tells apart, what it leaves alone, and that each is run once."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from surgenas.accuracy.kernel import Kernel, score
from tests.accuracy.toys import Links, drawn

IMAGES = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def of_width(width):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU())


def test_images_that_differ_score_higher_than_images_that_do_not():
    network = of_width(8)
    alike = IMAGES[:1].expand(8, -1, -1, -1) + 1e-3 * IMAGES
    assert score(network, alike) < score(network, IMAGES) < 0
    assert score(nn.Conv2d(3, 8, 3), IMAGES) == 0.0


def test_the_network_stays_as_it_was():
    network = of_width(8).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    score(network, IMAGES)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.training
    assert not network[1]._forward_hooks


def test_a_line_in_the_score_is_learned_and_a_falling_one_refused(monkeypatch):
    space, built = Links(cells=1), []
    plain = Links.build
    monkeypatch.setattr(Links, "build", lambda self, arch: built.append(arch) or plain(self, arch))
    archs = drawn(space, 10)
    model = Kernel(space)
    scores = np.array([0.5 + 0.01 * float(arch.genes[0]) for arch in archs])
    sign = 1 if np.corrcoef(model._scores(archs), scores)[0, 1] > 0 else -1
    model.fit(archs, 1 + sign * scores)
    assert model.refusal == ""
    assert np.corrcoef(model.predict(archs), 1 + sign * scores)[0, 1] > 0.3
    assert len(built) == 10, "once each"
    assert "does not explain" in model.fit(archs, 1 - sign * scores).refusal
    assert np.allclose(model.predict(archs[:2]), (1 - sign * scores).mean())
