"""Which statistics do the batch norms of a network need? Those of images, estimated anew where its channels changed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

CALIBRATION = 256
"""How many images they are estimated from."""
TOGETHER = 32
"""How many images a network by itself is given at once. More would take longer: their activations fit no cache, and an
allocator hands memory of that size back to the system after each layer (docs/log.md, judging)."""


@torch.no_grad()
def estimate_statistics(network: nn.Module, images: Tensor) -> None:
    """Set the BN statistics of a network to the mean over parts of these images (N, C, H, W), and leave it in eval
    mode."""
    norms = batch_norms(network)
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all parts
        norm.train()
    for part in images.tensor_split(math.ceil(len(images) / TOGETHER)):  # BN takes no part of a single image
        network(part)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def batch_norms(network: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """All batch normalizations of a network."""
    return [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Inside the block, BN normalises by the statistics of each batch, and remembers none of them."""
    norms = batch_norms(network)
    was, kept = network.training, [norm.track_running_stats for norm in norms]
    network.eval()
    for norm in norms:
        norm.train()
        norm.track_running_stats = False  # torch updates no buffers then
    try:
        yield
    finally:
        for norm, tracks in zip(norms, kept, strict=True):
            norm.track_running_stats = tracks
        network.train(was)


def settle_statistics(module: nn.Module, input_shape: tuple[int, int, int]) -> nn.Module:
    """Set the BN statistics of a fresh network from eight random images, and return it in eval mode.

    With initial statistics the signal dies out layer by layer, and comparing results would compare nothing.
    """
    fresh = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d) and m.num_batches_tracked == 0]
    for norm in fresh:
        norm.momentum = None  # the plain mean
        norm.train()
    if fresh:
        with torch.no_grad():
            module(torch.randn(8, *input_shape, generator=torch.Generator().manual_seed(0)))
    return module.eval()
