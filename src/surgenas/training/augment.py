"""How are images augmented? A whole batch at once: crop, scale, aspect and flip are one grid sample."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from surgenas.core.seeds import derive
from surgenas.tasks.balance import balanced_order
from surgenas.tasks.data import Dataset


def random_views(images_NCHW: Tensor, generator: torch.Generator, *, flips: bool, least: float = 0.7) -> Tensor:
    """Each image of (N, C, H, W) through its own random window, resized to the image's size.

    A window's sides are `least` to 1 times the image's, it lies anywhere inside, and it is mirrored half of the time if
    `flips`.
    """
    N = len(images_NCHW)
    u_N5 = torch.rand(N, 5, generator=generator).to(images_NCHW.device)
    scale_N2 = least + (1 - least) * u_N5[:, :2]
    shift_N2 = (1 - scale_N2) * (2 * u_N5[:, 2:4] - 1)
    mirror_N = torch.where(u_N5[:, 4] < 0.5, -1.0, 1.0) if flips else torch.ones_like(u_N5[:, 4])
    theta = images_NCHW.new_zeros(N, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = scale_N2[:, 0] * mirror_N, scale_N2[:, 1]
    theta[:, :, 2] = shift_N2
    grid = affine_grid(theta, list(images_NCHW.shape), align_corners=False)
    return grid_sample(images_NCHW, grid, padding_mode="reflection", align_corners=False)


def cut_out(images_NCHW: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Each image of (N, C, H, W) with zeros in a square of this size, somewhere around a pixel of it (DeVries and
    Taylor 2017, arXiv 1708.04552)."""
    N, _, H, W = images_NCHW.shape
    inside = torch.ones(N, H, W, dtype=torch.bool)
    for axis, length in ((1, H), (2, W)):
        first_N = torch.randint(length, (N,), generator=generator) - size // 2
        pixels_N = torch.arange(length) - first_N[:, None]
        inside &= ((pixels_N >= 0) & (pixels_N < size)).unsqueeze(3 - axis)
    return images_NCHW.masked_fill(inside[:, None].to(images_NCHW.device), 0.0)


def train_batches(
    dataset: Dataset, batch: int, seed: int, epoch: int, *, rank: int = 0, ranks: int = 1, cutout: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches (images (N, 3, R, R), labels (N,)) of one epoch, augmented.

    Their order depends on seed and epoch alone; an incomplete last batch is left out. Of a data set that is to be
    balanced every class comes equally often, and an epoch is as long. Of several ranks each gets its
    slice of every batch. cutout: height and width of what is cut out of each image, 0 for nothing.
    """
    generator = torch.Generator().manual_seed(derive(seed, "batches", epoch))
    labels = dataset.train.labels
    order = balanced_order(labels, generator) if dataset.balanced else torch.randperm(len(labels), generator=generator)
    picks = [order[step * batch : (step + 1) * batch] for step in range(steps_per_epoch(dataset, batch))]
    for picked, images in zip(picks, dataset.train.images.batches(picks), strict=True):
        views = random_views(dataset.normalise(images), generator, flips=dataset.flips)
        views = cut_out(views, cutout, generator) if cutout else views
        yield (
            views[rank::ranks].contiguous(memory_format=torch.channels_last),
            labels[picked][rank::ranks],
        )


def steps_per_epoch(dataset: Dataset, batch: int) -> int:
    """How many batches an epoch has: at least 1, also where a batch is larger than the training part."""
    return max(1, len(dataset.train) // batch)
