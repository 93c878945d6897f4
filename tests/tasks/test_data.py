"""Images as people have them: every mode, broken files by name, and a test part that stays apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from surgenas.core.errors import DataError, UsageError
from surgenas.core.look import Look
from surgenas.core.progress import Progress
from surgenas.tasks.data import hold_out, load_data
from surgenas.tasks.image_list import HeldImages, ImageFiles
from surgenas.tasks.images import resize_all

LOOK = Look((0.5, 0.4, 0.3), (0.25, 0.5, 0.125), "bilinear")


def load(source, tmp_path, resolution=16, max_corrupt=0.05, **how):
    cache = tmp_path / "cache"
    return load_data(str(source), resolution, max_corrupt=max_corrupt, cache=cache, progress=Progress(), **how)


def test_a_folder_is_split_by_class_and_the_parts_do_not_meet(photos, tmp_path):
    data = load(photos, tmp_path)
    assert data.classes == ("bright", "dark")
    assert (len(data.train), len(data.test)) == (16, 4)
    assert data.test.labels.bincount().tolist() == [2, 2]
    train = {image.numpy().tobytes() for image in data.train.images[:]}
    assert not train & {image.numpy().tobytes() for image in data.test.images[:]}
    assert load(photos, tmp_path).fingerprint == data.fingerprint
    assert data.flips
    assert data.notes[-1] == "training images are mirrored at random; --flips off turns that off"


def test_train_and_val_folders_are_kept_as_they_are(photos, tmp_path):
    root = tmp_path / "split"
    (root / "val").mkdir(parents=True)
    photos.rename(root / "train")
    for name in ("dark", "bright"):
        (root / "val" / name).mkdir()
        for i in range(3):
            (root / "train" / name / f"{i}.png").rename(root / "val" / name / f"{i}.png")
    data = load(root, tmp_path)
    assert (len(data.train), len(data.test)) == (14, 6)


def test_copies_stay_on_one_side_of_the_split(photos, tmp_path):
    for name in ("dark", "bright"):
        for i in range(10):
            (photos / name / f"copy of {i}.png").write_bytes((photos / name / f"{i}.png").read_bytes())
    data = load(photos, tmp_path)
    train, test = ({image.numpy().tobytes() for image in part.images[:]} for part in (data.train, data.test))
    assert (len(data.train), len(data.test), len(train), len(test)) == (32, 8, 16, 4)
    assert not train & test
    assert "20 image(s) are exact copies of others; kept on the same side of the split" in data.notes


def test_left_and_right_are_not_mirrored_unless_asked(tmp_path, listener):
    for name, bright in (("left", slice(0, 6)), ("right", slice(10, 16))):
        (tmp_path / "sides" / name).mkdir(parents=True)
        for i in range(30):
            pixels = np.full((16, 16), i, dtype=np.uint8)
            pixels[:, bright] = 200
            Image.fromarray(pixels).save(tmp_path / "sides" / name / f"{i}.png")
    how = {"max_corrupt": 0.0, "cache": tmp_path / "cache", "progress": listener}
    for flips, mirrored in (("auto", False), ("off", False), ("horizontal", True)):
        data = load_data(str(tmp_path / "sides"), 16, **how, flips=flips)
        assert data.flips == mirrored, flips
        assert data.notes[-1] == listener.said[-1]
    assert any("pass for another class (left, right)" in line for line in listener.said)


def test_broken_files_are_named_and_skipped(photos, tmp_path):
    whole = (photos / "dark" / "0.png").read_bytes()
    (photos / "dark" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "dark" / "empty.jpg").write_bytes(b"")
    (photos / "dark" / "liar.jpg").write_text("hello")
    (photos / "dark" / "notes.txt").write_text("hello")
    data = load(photos, tmp_path, max_corrupt=0.5)
    notes = "\n".join(data.notes)
    assert all(name in notes for name in ("cut.png", "empty.jpg", "liar.jpg"))
    assert "1 file(s)" in notes
    assert len(data.train) + len(data.test) == 20
    with pytest.raises(DataError, match="3 of 23 images"):
        load(photos, tmp_path, max_corrupt=0.05)


def test_what_cannot_be_used_is_said(photos, tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        load(tmp_path / "nowhere", tmp_path)
    (photos / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty.*is empty"):
        load(photos, tmp_path)
    (photos / "empty").rmdir()
    for path in (photos / "dark").iterdir():
        path.unlink()
    (photos / "dark").rmdir()
    with pytest.raises(DataError, match="at least 2"):
        load(photos, tmp_path)
    with pytest.raises(UsageError, match="no data set"):
        load("torchvision:Nope", tmp_path)


def mnist(root):
    """MNIST in its own file format, as a finished download would have left it: the pixels of the test part."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 30), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        for kind, values in (("images-idx3", pixels), ("labels-idx1", labels)):
            head = [0x0800 + values.ndim, *values.shape]
            (raw / f"{prefix}-{kind}-ubyte").write_bytes(np.array(head, dtype=">i4").tobytes() + values.tobytes())
    return pixels


def test_a_torchvision_data_set_by_name(tmp_path):
    pixels = mnist(tmp_path)
    found = load(f"torchvision:MNIST:{tmp_path}", tmp_path, resolution=28)
    assert (len(found.train), len(found.test), len(found.classes)) == (30, 20, 10)
    assert found.test.images[[3]][0, 0].numpy().tolist() == pixels[3].tolist()
    assert found.test.labels[:3].tolist() == [0, 1, 2]
    assert not found.flips


@pytest.mark.parametrize("source", ["folder", "digits", "torchvision"])
def test_a_network_that_exists_says_how_its_images_look(photos, tmp_path, source):
    mnist(tmp_path)
    place = {"folder": photos, "digits": "digits", "torchvision": f"torchvision:MNIST:{tmp_path}"}[source]
    plain, seen = load(place, tmp_path), load(place, tmp_path, look=LOOK)
    assert (seen.mean, seen.std, seen.interpolation) == (LOOK.mean, LOOK.std, "bilinear")
    assert not torch.equal(plain.test.images[:], seen.test.images[:]), "resized in another way"
    assert torch.equal(plain.test.labels, seen.test.labels)
    white = torch.full((1, 3, 16, 16), 255, dtype=torch.uint8)
    assert seen.normalise(white)[0, :, 0, 0].tolist() == pytest.approx([2, 1.2, 5.6])
    nearest = load(place, tmp_path, look=Look(LOOK.mean, LOOK.std, "nearest"))
    assert not torch.equal(nearest.test.images[:], seen.test.images[:])


def test_without_one_images_are_as_they_were_and_standardised_by_themselves(photos, tmp_path):
    data = load(photos, tmp_path)
    x = data.normalise(data.train.images[:])
    assert x.mean((0, 2, 3)).abs().max() < 1e-4
    assert x.std((0, 2, 3)).tolist() == pytest.approx([1, 1, 1], abs=1e-3)
    assert data.interpolation == "bicubic"
    assert torch.equal(data.train.images[:], load(photos, tmp_path, look=Look((0,) * 3, (1,) * 3)).train.images[:])


def test_a_data_set_at_another_size_is_the_same_but_for_its_pixels(photos, tmp_path):
    data = load(photos, tmp_path, look=LOOK)
    small = data.at(8)
    assert data.at(16) is data
    assert small.resolution == 8
    assert torch.equal(small.test.images[:], resize_all(data.test.images[:], 8, "bilinear"))
    assert torch.equal(small.train.labels, data.train.labels)
    assert (small.mean, small.std, small.interpolation) == (data.mean, data.std, data.interpolation)
    assert (small.classes, small.flips, small.notes) == (data.classes, data.flips, data.notes)
    assert data.train.at(16, "bilinear") is data.train


@pytest.mark.parametrize("parted", [False, True])
def test_images_that_take_more_memory_than_is_allowed_are_the_same_data_set(photos, tmp_path, parted):
    """Fingerprint, moments, split and what is held out do not tell where pixels are."""
    root = tmp_path / "parts" if parted else photos
    if parted:
        photos.rename(tmp_path / "all")
        for part, least in (("train", 4), ("test", 0)):
            for i in range(least, least + 4):
                for name in ("dark", "bright"):
                    (root / part / name).mkdir(parents=True, exist_ok=True)
                    (tmp_path / "all" / name / f"{i}.png").rename(root / part / name / f"{i}.png")
    held, filed = (load(root, tmp_path, memory=memory) for memory in (1e9, 1000.0))
    assert isinstance(held.train.images, HeldImages)
    assert isinstance(filed.train.images, ImageFiles)
    assert (held.fingerprint, held.mean, held.std, held.flips) == (
        filed.fingerprint, filed.mean, filed.std, filed.flips
    )  # fmt: skip
    for part in ("train", "test"):
        assert torch.equal(getattr(held, part).images[:], getattr(filed, part).images[:])
    (rest, aside), (filed_rest, filed_aside) = (hold_out(data, 0.3, 100, 0) for data in (held, filed))
    assert torch.equal(aside.images[:], filed_aside.images[:])
    assert torch.equal(rest.at(12).train.images[:], filed_rest.at(12).train.images[:])
    changed = sorted(root.rglob("*.png"))[0]
    Image.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(changed)
    assert load(root, tmp_path, memory=1000.0).fingerprint != filed.fingerprint


def test_what_does_not_fit_is_said(photos, tmp_path, listener):
    load_data(str(photos), 8, max_corrupt=0.0, cache=tmp_path, progress=listener, memory=1000.0)
    assert "20 images of 8 px take 3.75 KB, and 0.9766 KB may be used (--memory): files are" in listener.said[0]
