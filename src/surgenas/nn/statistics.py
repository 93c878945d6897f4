"""Which statistics do the batch norms of a network need? Those of images, estimated anew where its channels changed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CALIBRATION = 256
"""How many images they are estimated from."""


def spaced(images: Tensor, count: int) -> Tensor:
    """So many of the images, (count, C, H, W), from all parts of their order, which may be that of the classes."""
    return images[:: max(1, len(images) // count)][:count]


@torch.no_grad()
def estimate_statistics(network: nn.Module, images: Tensor) -> None:
    """Set the BN statistics of a network to those of these images (N, C, H, W), and leave it in eval mode."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.momentum = 1.0  # statistics of the last batch alone, which holds all images
        norm.train()
    network(images)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
