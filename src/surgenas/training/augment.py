"""How are images augmented? A whole batch at once: crop, scale, aspect and flip are one resampling."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from surgenas.core.seeds import derive
from surgenas.tasks.balance import balanced_order
from surgenas.tasks.data import Dataset

CPU = torch.device("cpu")
LARGE = 96
"""Images of so many pixels a side are resampled along one axis after the other: half the time at 224 px, where smaller
ones take longer so (docs/log.md, augmentation of large images)."""


def random_views(images_NCHW: Tensor, u_N5: Tensor, *, flips: bool, least: float = 0.7) -> Tensor:
    """Each image of (N, C, H, W) through its own random window, resized to the image's size.

    A window's sides are `least` to 1 times the image's, it lies anywhere inside, and it is mirrored half of the time if
    `flips`. u_N5: uniform random numbers between 0 and 1 that decide, five for each image.
    """
    u_N5 = u_N5.to(images_NCHW.device)
    scale_N2 = least + (1 - least) * u_N5[:, :2]
    shift_N2 = (1 - scale_N2) * (2 * u_N5[:, 2:4] - 1)
    mirror_N = torch.where(u_N5[:, 4] < 0.5, -1.0, 1.0) if flips else torch.ones_like(u_N5[:, 4])
    side_N2 = scale_N2 * torch.stack([mirror_N, torch.ones_like(mirror_N)], 1)
    if min(images_NCHW.shape[2:]) >= LARGE and images_NCHW.device.type == "cpu":
        return _by_axes(images_NCHW, side_N2, shift_N2)
    theta = images_NCHW.new_zeros(len(u_N5), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = side_N2.unbind(1)
    theta[:, :, 2] = shift_N2
    grid = affine_grid(theta, list(images_NCHW.shape), align_corners=False)
    return grid_sample(images_NCHW, grid, padding_mode="reflection", align_corners=False)


def _by_axes(images_NCHW: Tensor, side_N2: Tensor, shift_N2: Tensor) -> Tensor:
    """What grid_sample computes for windows whose sides are along the images': rows first, then columns of these.

    side_N2: widths and heights of the windows, of the images', negative where mirrored. shift_N2: their centres, -1 to
    1 across an image.
    """
    found = torch.empty_like(images_NCHW, memory_format=torch.channels_last)
    columns, rows = (
        _neighbours(size, side_N, shift_N)
        for size, side_N, shift_N in zip(images_NCHW.shape[:1:-1], side_N2.unbind(1), shift_N2.unbind(1), strict=True)
    )
    for image_CHW, out_CHW, *places in zip(images_NCHW, found, *rows, *columns, strict=True):
        above_H, below_H, share_H, left_W, right_W, share_W = places
        rows_CHW = image_CHW.index_select(1, above_H).lerp_(image_CHW.index_select(1, below_H), share_H[:, None])
        out_CHW.copy_(rows_CHW.index_select(2, left_W).lerp_(rows_CHW.index_select(2, right_W), share_W))
    return found


def _neighbours(size: int, side_N: Tensor, shift_N: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N, size) three times: between which two pixels each pixel of a view lies along an axis, and how far from the
    first to the second."""
    centres = (2 * torch.arange(size) + 1) / size - 1
    place = ((centres * side_N[:, None] + shift_N[:, None] + 1) * size - 1).div_(2).clamp_(0, size - 1)
    first = place.floor()
    return first.long(), (first.long() + 1).clamp_(max=size - 1), place - first


def cut_out(images_NCHW: Tensor, size: int, at_N2: Tensor) -> Tensor:
    """Each image of (N, C, H, W) with zeros in a square of this size around a pixel of it, whose row and column
    `at_N2` says (DeVries and Taylor 2017, arXiv 1708.04552)."""
    N, _, H, W = images_NCHW.shape
    inside = torch.ones(N, H, W, dtype=torch.bool)
    for axis, length in ((1, H), (2, W)):
        pixels_N = torch.arange(length) - (at_N2[:, axis - 1, None] - size // 2)
        inside &= ((pixels_N >= 0) & (pixels_N < size)).unsqueeze(3 - axis)
    return images_NCHW.masked_fill(inside[:, None].to(images_NCHW.device), 0.0)


def train_batches(
    dataset: Dataset, batch: int, seed: int, epoch: int, *, rank: int = 0, ranks: int = 1, cutout: int = 0,
    device: torch.device = CPU,
) -> Iterator[tuple[Tensor, Tensor]]:  # fmt: skip
    """The batches (images (N, 3, R, R), labels (N,)) of one epoch, augmented.

    Their order depends on seed and epoch alone; an incomplete last batch is left out. Of a data set that is to be
    balanced every class comes equally often, and an epoch is as long. Of several ranks each gets its
    slice of every batch. cutout: height and width of what is cut out of each image, 0 for nothing. device: where they
    are augmented, and are then; images that it has room for are kept there.
    """
    generator = torch.Generator().manual_seed(derive(seed, "batches", epoch))
    labels = dataset.train.labels
    order = balanced_order(labels, generator) if dataset.balanced else torch.randperm(len(labels), generator=generator)
    picks = [order[step * batch : (step + 1) * batch] for step in range(steps_per_epoch(dataset, batch))]
    own = [picked[rank::ranks] for picked in picks]
    for picked, mine, images in zip(picks, own, dataset.train.images.on(device).batches(own), strict=True):
        u_N5 = torch.rand(len(picked), 5, generator=generator)[rank::ranks]
        views = random_views(dataset.normalise(images.to(device)), u_N5, flips=dataset.flips)
        if cutout:
            at_N2 = torch.randint(dataset.resolution, (2, len(picked)), generator=generator).T
            views = cut_out(views, cutout, at_N2[rank::ranks])
        yield views.contiguous(memory_format=torch.channels_last), labels[mine].to(device)


def steps_per_epoch(dataset: Dataset, batch: int) -> int:
    """How many batches an epoch has: at least 1, also where a batch is larger than the training part."""
    return max(1, len(dataset.train) // batch)
