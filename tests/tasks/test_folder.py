"""Folders as people have them: what is wrong by name is said before a pixel is read, what is left out is counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from surgenas.core.errors import DataError
from surgenas.core.progress import Progress
from surgenas.tasks.decoding import Way
from surgenas.tasks.folder import ImageSet, plan_folder, read_files


def load(root: Path, *, progress: Progress = Progress(), **how) -> ImageSet:  # noqa: B008  stateless
    how = {"max_corrupt": 0.05, "cache": root.parent / "cache", "memory": 1e9, **how}
    return read_files(str(root), Way(how.pop("side", 8), how.pop("fit", "crop")), progress=progress, **how)


def parted(photos: Path, test: str = "val") -> Path:
    """The photos as a part to learn from, and three of each class as one to test with."""
    root = photos.parent / "parted"
    root.mkdir()
    photos.rename(root / "train")
    for name in ("dark", "bright"):
        (root / test / name).mkdir(parents=True)
        for i in range(3):
            (root / "train" / name / f"{i}.png").rename(root / test / name / f"{i}.png")
    return root


class Blind(Progress):
    """Fails as soon as anything is decoded."""

    def task(self, name, total, done=0):
        raise AssertionError(f"{name}: began before names were checked")


def save_16_bits(folder: Path, level: int, seed: int = 0) -> None:
    """Noise from 0 to a level in 16 bits, and one pixel of that level."""
    folder.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, level, (8, 8)).astype(np.uint16)
    values[0, 0] = level
    Image.fromarray(values).save(folder / f"{len(list(folder.iterdir()))}.png")


# --- by names alone


def test_classes_that_differ_between_parts_are_named_before_anything_is_decoded(photos):
    root = parted(photos)
    (root / "val" / "dark").rename(root / "val" / "Dark")
    with pytest.raises(DataError, match=r"val lacks dark; .*train lacks Dark; each part needs the same classes"):
        load(root, progress=Blind())


def test_a_class_with_too_few_images_is_named_before_anything_is_decoded(photos):
    shutil.copytree(photos / "dark", photos / "lone")
    for i in range(1, 10):
        (photos / "lone" / f"{i}.png").unlink()
    with pytest.raises(DataError, match=r"lone holds a single image; at least 2 are needed"):
        load(photos, progress=Blind())
    (photos / "lone" / "0.png").rename(photos / "lone" / "0.heic")
    with pytest.raises(DataError, match=r"lone holds no image, but 1 \.heic \(to read them: pip install"):
        load(photos, progress=Blind())
    (photos / "lone" / "0.heic").unlink()
    with pytest.raises(DataError, match=r"lone is empty; add images"):
        load(photos, progress=Blind())


def test_a_single_image_to_learn_from_is_enough_where_the_test_part_is_given(photos):
    root = parted(photos)
    for i in range(4, 10):
        (root / "train" / "dark" / f"{i}.png").unlink()
    assert len(plan_folder(root).train["dark"]) == 1


def test_what_is_left_out_is_told_at_once_and_kept(photos, listener):
    (photos / "0.png").write_bytes((photos / "dark" / "0.png").read_bytes())
    (photos / "dark" / "0.pdf").write_text("hello")
    (photos / "dark" / ".ipynb_checkpoints").mkdir()
    shutil.copy(photos / "dark" / "1.png", photos / "dark" / ".ipynb_checkpoints" / "1-checkpoint.png")
    (photos / "dark" / "back").symlink_to(photos)
    (photos / "__MACOSX").mkdir()
    found = load(photos, progress=listener)
    assert found.train.labels.bincount().tolist() == [10, 10]
    for said in (f"1 image(s) directly in {photos}", "1 .pdf", "1 .ipynb_checkpoints/", "back: this link leads back"):
        assert sum(said in note for note in found.notes) == sum(said in line for line in listener.said) == 1


# --- copies


def test_copies_between_parts_are_left_out_of_what_is_learnt_from(photos):
    root = parted(photos)
    whole = load(root)
    shutil.copy(root / "val" / "dark" / "0.png", root / "train" / "dark" / "copy.png")
    shutil.copy(root / "val" / "dark" / "1.png", root / "train" / "bright" / "copy.png")
    found = load(root)
    assert torch.equal(found.train.images[:], whole.train.images[:])
    assert torch.equal(found.test.images[:], whole.test.images[:])
    assert "2 image(s) to learn from are copies of images in the test part; left out" in found.notes


# --- more than 8 bits


def test_values_of_12_bits_in_files_of_16_become_all_levels_of_grey(tmp_path):
    for name in ("a", "b"):
        for i in range(3):
            save_16_bits(tmp_path / "root" / name, 4095, seed=i)
    found = load(tmp_path / "root")
    assert found.train.images[:].unique().numel() > 50
    assert int(found.train.images[:].max()) == 255
    assert found.notes == ("6 image(s) of more than 8 bits reach 4095; read as values from 0 to 4095",)


@pytest.mark.parametrize(("level", "top"), [(200, 255), (900, 1023), (3000, 4095), (9000, 16383), (40000, 65535)])
def test_the_range_is_the_data_sets_and_not_an_images(tmp_path, level, top):
    """The brightest image lies in the test part; all others are a tenth as bright, and stay so."""
    for part in ("train", "test"):
        for name in ("a", "b"):
            save_16_bits(tmp_path / "root" / part / name, level // 10, seed=len(name + part))
    save_16_bits(tmp_path / "root" / "test" / "b", level)
    found = load(tmp_path / "root")
    assert int(found.train.images[:].max()) == level // 10 * 255 // top
    assert int(found.test.images[:].max()) == level * 255 // top
    assert any(f"from 0 to {top}" in note for note in found.notes) == (top < 65535)
    assert found.white == {True: top}


def test_images_of_8_bits_beside_them_are_as_they_were(photos):
    before = load(photos).train.images[:]
    save_16_bits(photos / "dark", 4095)
    (photos / "dark" / "10.png").rename(photos / "dark" / "last.png")
    assert torch.equal(load(photos).train.images[:-1], before)


def test_floats_have_the_range_of_the_data_set(tmp_path):
    for i, (name, level) in enumerate([("a", 1.0), ("a", 2.0), ("b", 4.0), ("b", 0.0)]):
        (tmp_path / "root" / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), level, dtype=np.float32)).save(tmp_path / "root" / name / f"{i}.tif")
    found = load(tmp_path / "root")
    assert found.train.images[:][:, 0, 0, 0].tolist() == [63, 127, 255, 0]
    assert found.notes == ("4 image(s) of more than 8 bits reach 4; read as values from 0 to 4",)


# --- long images


def test_long_images_are_told_of_only_where_most_are_and_they_are_cropped(photos):
    for i in range(9):
        Image.new("RGB", (60, 20)).save(photos / "dark" / f"long{i}.png")
    assert not any("longer" in note for note in load(photos).notes)
    for i in range(12):
        Image.new("RGB", (20, 60 + i)).save(photos / "bright" / f"long{i}.png")
    (note,) = [note for note in load(photos).notes if "longer" in note]
    assert note.startswith("21 of 41 images are longer than 2:1, and only their middle square is seen; --fit pad")
    assert not any("longer" in note for note in load(photos, fit="pad").notes)


# --- small images


def test_images_that_are_much_enlarged_are_told_of(photos):
    """They have 20 x 24 pixels."""
    assert not any("enlarged" in note for note in load(photos, side=24).notes)
    (note,) = [note for note in load(photos, side=64).notes if "enlarged" in note]
    assert note.startswith("half of the images have 20 px or fewer and are enlarged to 64 px; a smaller --resolution")
    for when in ("seen for the first time", "and not decoded again"):
        assert note in load(photos, side=64, memory=0.0).notes, when
