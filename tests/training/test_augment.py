"""Random views by hand, and epochs that depend on nothing but their number."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from surgenas.core.progress import Progress
from surgenas.tasks.data import Dataset, Part, load_data
from surgenas.tasks.image_list import HeldImages, free_bytes
from surgenas.training import augment
from surgenas.training.augment import cut_out, random_views, steps_per_epoch, train_batches


def views(images: Tensor, seed: int = 0, *, flips: bool = False, least: float = 0.7) -> Tensor:
    u_N5 = torch.rand(len(images), 5, generator=torch.Generator().manual_seed(seed))
    return random_views(images, u_N5, flips=flips, least=least)


def numbered(count: int, size: int = 4) -> Dataset:
    """Images that are one level of grey each, their number, which no view can change."""
    images = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(count, 3, size, size).contiguous()
    part = Part(HeldImages(images), torch.arange(count))
    return Dataset("numbered", ("a", "b"), part, part, (0.0,) * 3, (1 / 255,) * 3, flips=True)


@pytest.mark.parametrize(("height", "width"), [(96, 96), (97, 120)])
def test_large_images_have_the_views_of_small_ones(height, width, monkeypatch):
    images = torch.rand(6, 3, height, width)
    by_axes = views(images, flips=True)
    monkeypatch.setattr(augment, "LARGE", 1000)
    at_once = views(images, flips=True)
    assert by_axes.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(by_axes, at_once, atol=1e-4)
    assert not torch.allclose(by_axes, images, atol=0.1)


def test_views_keep_shape_and_range_and_mirror_only_if_asked():
    images = torch.rand(32, 3, 12, 12)
    seen = views(images)
    assert seen.shape == images.shape
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert torch.allclose(views(images, least=1.0), images, atol=1e-5)
    mirrored = views(images, flips=True, least=1.0)
    turned = [torch.allclose(m, i.flip(-1), atol=1e-5) for m, i in zip(mirrored, images, strict=True)]
    same = [torch.allclose(m, i, atol=1e-5) for m, i in zip(mirrored, images, strict=True)]
    assert 5 < sum(turned) < 27
    assert sum(turned) + sum(same) == 32


@given(st.integers(0, 2**32), st.floats(0.1, 1.0), st.booleans())
@settings(max_examples=30, deadline=None)
def test_every_window_lies_inside_the_image(seed, least, flips):
    """Of a ramp that rises evenly to the right and down, what is seen is as steep as the window is wide."""
    size = 16
    ramp = (torch.arange(size).float() + 0.5) / size
    images = torch.stack([ramp.expand(size, size), ramp.expand(size, size).T, torch.zeros(size, size)])[None]
    across, down = views(images.repeat(4, 1, 1, 1), seed, flips=flips, least=least)[:, :2].unbind(1)
    steps = torch.cat([across.diff(dim=2).abs().flatten(), down.diff(dim=1).flatten()]) * size
    inner = steps[steps > 0.5 * least]
    assert len(inner) > 0.7 * len(steps), "reflection flattens the border alone"
    assert inner.max() <= 1 + 1e-3
    assert inner.median() >= least - 1e-3


def test_images_are_seen_through_windows_of_their_own():
    images = torch.rand(1, 3, 12, 12).expand(6, 3, 12, 12)
    seen = views(images)
    assert len({view.numpy().tobytes() for view in seen}) == 6


def test_the_generator_decides_and_nothing_else():
    images = torch.rand(4, 3, 8, 8)
    torch.manual_seed(1)
    first = views(images, seed=5, flips=True)
    torch.manual_seed(2)
    assert torch.equal(views(images, seed=5, flips=True), first)
    assert not torch.equal(views(images, seed=6, flips=True), first)


def test_batches_depend_on_seed_and_epoch_alone(digits):
    def epoch(seed, number):
        return torch.cat([images for images, _ in train_batches(digits, 64, seed, number)])

    assert torch.equal(epoch(0, 1), epoch(0, 1))
    assert not torch.equal(epoch(0, 1), epoch(0, 2))
    assert not torch.equal(epoch(0, 1), epoch(1, 1))


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_an_epoch_shows_every_image_at_most_once_with_its_label(count, batch, epoch):
    dataset = numbered(count)
    batches = list(train_batches(dataset, batch, 0, epoch))
    assert len(batches) == steps_per_epoch(dataset, batch) == max(1, count // batch)
    labels = torch.cat([labels for _, labels in batches]).tolist()
    assert len(set(labels)) == len(labels) == min(count, batch * max(1, count // batch))
    levels = torch.cat([images[:, 0, 0, 0] for images, _ in batches])
    assert levels.round().int().tolist() == labels


def test_of_a_balanced_data_set_every_class_comes_equally_often_in_as_many_batches():
    dataset = numbered(40)
    rare = Part(dataset.train.images, (torch.arange(40) > 35).long())
    balanced = replace(dataset, train=rare, balanced=True)
    batches = list(train_batches(balanced, 10, 0, 0))
    assert len(batches) == len(list(train_batches(dataset, 10, 0, 0))) == 4
    assert torch.cat([labels for _, labels in batches]).bincount().tolist() == [20, 20]
    levels = torch.cat([images[:, 0, 0, 0] for images, _ in batches]).round()
    assert torch.equal((levels > 35).long(), torch.cat([labels for _, labels in batches]))
    assert levels.int().bincount()[36:].tolist() == [5] * 4


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_share_every_batch(ranks):
    dataset = replace(numbered(40), flips=False)
    whole = list(train_batches(dataset, 12, 0, 0))
    shares = [list(train_batches(dataset, 12, 0, 0, rank=rank, ranks=ranks)) for rank in range(ranks)]
    assert all(len(share) == len(whole) for share in shares)
    for (images, labels), *parts in zip(whole, *shares, strict=True):
        for rank, (own_images, own_labels) in enumerate(parts):
            assert torch.equal(images[rank::ranks], own_images)
            assert torch.equal(labels[rank::ranks], own_labels)


def test_batches_are_standardised_and_laid_out_for_convolutions(digits):
    images, labels = next(iter(train_batches(digits, 64, 0, 0)))
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert images.shape == (64, 3, 16, 16)
    assert labels.dtype == torch.int64
    assert abs(float(images.mean())) < 0.3
    assert 0.6 < float(images.std()) < 1.4


def test_a_square_is_cut_out_of_each_image_somewhere():
    images = torch.ones(400, 2, 8, 8)
    found = cut_out(images, 4, torch.randint(8, (400, 2), generator=torch.Generator().manual_seed(0)))
    zeros = (found == 0).all(1)
    assert ((found == 0).any(1) == zeros).all(), "of all channels"
    for one in zeros[:20]:
        rows, columns = one.any(1).nonzero().flatten(), one.any(0).nonzero().flatten()
        assert one.sum() == len(rows) * len(columns), "a rectangle"
        assert 2 <= len(rows) <= 4
        assert rows[-1] - rows[0] == len(rows) - 1
    assert zeros.any(0).all(), "each pixel once"
    assert (zeros.sum((1, 2)) == 16).any()


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_of_files_are_those_of_memory_for_any_number_of_processes(photos, tmp_path, workers):
    how = {"max_corrupt": 0.0, "cache": tmp_path / "cache", "progress": Progress()}
    held, filed = load_data(str(photos), 8, **how), load_data(str(photos), 8, memory=0.0, workers=workers, **how)
    for epoch in (0, 3):
        pairs = zip(train_batches(held, 5, 1, epoch), train_batches(filed, 5, 1, epoch), strict=True)
        assert all(torch.equal(x, y) and torch.equal(a, b) for (x, a), (y, b) in pairs)


def test_images_that_a_device_has_room_for_are_kept_there(digits, monkeypatch):
    """The device is one that has shapes but no numbers."""
    images, there = digits.train.pick(torch.arange(20)).images, torch.device("meta")
    monkeypatch.setattr("surgenas.tasks.image_list.free_bytes", lambda device: 4 * 20 * images.pixels[0].nbytes)
    assert images.on(there) is images, "no room"
    monkeypatch.setattr("surgenas.tasks.image_list.free_bytes", lambda device: 5 * 20 * images.pixels[0].nbytes)
    kept = images.on(there)
    assert (kept.pixels.device, len(kept)) == (there, 20)
    assert images.on(there) is kept, "once"
    assert images.on(torch.device("cpu")) is images
    assert free_bytes(torch.device("cpu")) == 0


@pytest.mark.gpu
def test_batches_on_a_gpu_are_those_of_here(digits):
    few = replace(digits, train=digits.train.pick(torch.arange(64)))
    pairs = zip(train_batches(few, 16, 0, 0, device=torch.device("cuda")), train_batches(few, 16, 0, 0), strict=True)
    for (images, labels), (expected, expected_labels) in pairs:
        assert images.device.type == labels.device.type == "cuda"
        torch.testing.assert_close(images.cpu(), expected, rtol=1e-4, atol=1e-4)
        assert labels.tolist() == expected_labels.tolist()
