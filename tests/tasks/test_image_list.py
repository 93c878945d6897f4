"""Images in memory and images in files are the same to whoever asks for some of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.tasks.image_list import HeldImages, ImageFiles, ImageList
from surgenas.tasks.images import read, resize_all
from surgenas.tasks.survey import see, stamp_of

KINDS = ("held", "filed")
PICKS = [torch.tensor(places) for places in ([3, 1], [0], [19, 19, 2], [5, 6, 7])]


def files_of(photos: Path, workers: int = 0) -> ImageFiles:
    paths = sorted(photos.rglob("*.png"))
    seen = [see(read(path, 8, "crop", "bicubic"), stamp_of(path)) for path in paths]
    return ImageFiles(paths, seen, (8,), workers=workers)


def whole(photos: Path) -> torch.Tensor:
    pixels = [read(path, 8, "crop", "bicubic").pixels for path in sorted(photos.rglob("*.png"))]
    return torch.from_numpy(np.stack(pixels))


def some(kind: str, photos: Path) -> ImageList:
    return HeldImages(whole(photos)) if kind == "held" else files_of(photos)


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_asked_for_as_rows_of_a_tensor_are(photos, kind):
    images, all_of_them = some(kind, photos), whole(photos)
    even = torch.arange(20) % 2 == 0
    assert (len(images), images.side) == (20, 8)
    for rows in (slice(None), slice(2, 9, 3), [4, 1, 1], torch.tensor([7, 0]), np.array([3]), even):
        assert torch.equal(images[rows], all_of_them[rows])
    assert images[[]].shape == (0, 3, 8, 8)


@pytest.mark.parametrize("kind", KINDS)
def test_some_of_some_are_picked_without_a_copy(photos, kind):
    images, all_of_them = some(kind, photos), whole(photos)
    picked = images.pick(torch.arange(20) > 4).pick(torch.tensor([2, 0]))
    assert torch.equal(picked[:], all_of_them[[7, 5]])
    assert picked.prints() == [images.prints()[i] for i in (7, 5)]
    if isinstance(images, HeldImages):
        assert picked.pixels is images.pixels


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [8, 12])
def test_other_sizes_are_resized_from_what_was_decoded(photos, kind, side):
    found = some(kind, photos).pick(torch.arange(5)).at(side, "bicubic")
    assert found.side == side
    assert torch.equal(found[:], resize_all(whole(photos)[:5], side, "bicubic"))


def test_what_tells_images_apart_and_their_sums_are_the_same_in_both_kinds(photos):
    held, filed = (some(kind, photos).pick(torch.arange(3, 17)) for kind in KINDS)
    assert held.prints() == filed.prints()
    assert len(set(held.prints())) == 14
    pixels = whole(photos)[3:17].long()
    for images in (held, filed):
        sums, squares = images.sums()
        assert sums.tolist() == pixels.sum((0, 2, 3)).tolist()
        assert squares.tolist() == pixels.square().sum((0, 2, 3)).tolist()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_come_in_their_order_from_any_number_of_processes(photos, workers):
    found = list(files_of(photos, workers).batches(PICKS))
    assert all(torch.equal(part, whole(photos)[rows]) for part, rows in zip(found, PICKS, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(HeldImages(whole(photos)).batches(PICKS), found, strict=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_is_gone_is_named(photos, workers):
    images = files_of(photos, workers)
    images.paths[6].unlink()
    with pytest.raises(
        DataError, match=r"^.*bright.6.png cannot be read any more \(No such file or directory\); put it back"
    ):
        list(images.batches(PICKS))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_file_that_became_another_image_is_named(photos, workers):
    images = files_of(photos, workers)
    images.paths[6].write_bytes(images.paths[12].read_bytes())
    with pytest.raises(DataError, match=r"^.*bright.6.png changed since it was first read; put it back and go on, or"):
        list(images.batches(PICKS))


def test_random_numbers_do_not_tell_where_images_are(photos):
    """A network may draw some while it is trained."""
    drawn = []
    for images in (HeldImages(whole(photos)), files_of(photos), files_of(photos, 2)):
        torch.manual_seed(0)
        drawn.append([float(torch.rand(1)) for _ in images.batches(PICKS)])
    assert drawn[0] == drawn[1] == drawn[2]


def test_a_process_that_decodes_and_is_killed_ends_in_a_line(photos, monkeypatch):
    monkeypatch.setattr(ImageFiles, "decode", lambda self, place: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(EnvironmentFault, match="was killed, by the system where memory is short; try fewer --workers"):
        list(files_of(photos, 1).batches(PICKS))


@pytest.mark.slow
def test_one_that_is_killed_while_a_batch_is_trained_on_disturbs_nothing_before_the_next_is_asked_for(photos):
    batches = files_of(photos, 1).batches([torch.tensor([i % 20]) for i in range(40)])
    next(batches)
    (process,) = multiprocessing.active_children()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    torch.rand(10).sum()
    with pytest.raises(EnvironmentFault, match="was killed"):
        list(batches)


def test_processes_that_decode_leave_ctrl_c_to_the_main_one(photos):
    batches = files_of(photos, 1).batches([torch.tensor([i % 20]) for i in range(40)])
    first = next(batches)
    (process,) = multiprocessing.active_children()
    os.kill(process.pid, signal.SIGINT)
    assert len([first, *batches]) == 40
