"""Statistics of batch norms are those of the images that they are estimated from, and nothing else changes."""

from __future__ import annotations

import torch

from surgenas.nn.statistics import estimate_statistics


def test_statistics_are_those_of_the_images_whatever_they_were_and_momenta_stay():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2, momentum=0.3), torch.nn.Dropout(0.9)
    )
    images = torch.randn(64, 3, 4, 4)
    network[1].running_mean.fill_(77.0)
    estimate_statistics(network, images)
    with torch.no_grad():
        seen = network[0](images)
    assert torch.allclose(network[1].running_mean, seen.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(network[1].running_var, seen.var((0, 2, 3)), rtol=0.01)
    assert network[1].momentum == 0.3
    assert not network.training
    assert not network[1].training
