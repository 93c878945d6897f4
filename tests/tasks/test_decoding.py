"""All files of a part at once: in order, what is broken or known left out, kept in memory or asked for anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from surgenas.core.errors import DataError
from surgenas.core.progress import Progress, Task
from surgenas.tasks.decoding import Decoded, Way, decode_all, scale_alike
from surgenas.tasks.image_list import HeldImages, ImageFiles
from surgenas.tasks.images import decode, read
from surgenas.tasks.listing import list_images
from surgenas.tasks.survey import Survey


def load(
    root: Path, classes: tuple[str, ...] = ("dark", "bright"), max_corrupt: float = 1.0,
    progress: Progress = Progress(), way: Way = Way(8), **how,  # noqa: B008  stateless
) -> Decoded:  # fmt: skip
    files = {name: list_images(root / name).images for name in classes}
    how = {"cache": root.parent / "cache.json", **how}
    return decode_all(str(root), files, way, max_corrupt=max_corrupt, progress=progress, **how)


def test_images_come_class_by_class_in_the_order_of_their_names(photos):
    found = load(photos, ("bright", "dark"))
    images, labels = found.images, found.labels
    assert images[:].shape == (20, 3, 8, 8)
    assert images[:].dtype == torch.uint8
    assert labels.tolist() == [0] * 10 + [1] * 10
    assert found.broken == []
    assert images[:10].float().mean() > 150 > 100 > images[10:].float().mean()
    names = sorted(path for path in (photos / "bright").iterdir())
    assert np.array_equal(images[[3]][0].numpy(), decode(names[3], 8))


class Counter(Progress, Task):
    def __init__(self) -> None:
        self.steps, self.verdict, self.name, self.total = 0, [], "", 0

    def log(self, message: str) -> None:
        self.verdict.append(message)

    @contextmanager
    def task(self, name: str, total: int, done: int = 0) -> Iterator[Task]:
        self.name, self.total = name, total
        yield self

    def advance(self, note: str = "") -> None:
        self.steps += 1


def spoil(folder: Path) -> None:
    """Four files that cannot be read."""
    whole = (folder / "0.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "liar.jpg").write_text("hello")
    (folder / "huge.ppm").write_bytes(b"P6 100000 100000 255\n")


def test_broken_files_are_named_skipped_and_counted(photos):
    spoil(photos / "dark")
    counter = Counter()
    found = load(photos, progress=counter)
    assert found.labels.bincount().tolist() == [10, 10]
    assert len(found.images) == 20
    for name in ("cut.png", "empty.jpg", "liar.jpg", "huge.ppm"):
        (said,) = [said for said in found.broken if name in said]
        assert said.startswith(f"{photos / 'dark' / name}: ")
        assert "BytesIO" not in said
        assert f"skipped {said}" in counter.verdict
    assert (counter.name, counter.total, counter.steps) == ("decode photos", 24, 24)


def test_more_broken_files_than_allowed_are_an_error(photos):
    spoil(photos / "dark")
    assert len(load(photos, max_corrupt=4 / 24).images) == 20
    with pytest.raises(DataError, match=r"4 of 24 images in .* cannot be read \(limit 16%, --max-corrupt\): first "):
        load(photos, max_corrupt=0.16)


def test_a_class_of_which_nothing_can_be_read_is_named(photos):
    for path in (photos / "dark").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"class dark in .*photos has no readable image; add images"):
        load(photos)


def test_files_that_are_known_are_left_out_and_counted(photos):
    whole = load(photos)
    left = load(photos, known=whole.digests[:3])
    assert torch.equal(left.images[:], whole.images[3:])
    assert left.digests == whole.digests[3:]
    assert left.copies == 3
    with pytest.raises(DataError, match=r"dark in .* has no readable image that is not a copy of one in the test part"):
        load(photos, known=whole.digests[:10])


@pytest.mark.parametrize("in_memory", [True, False])
@pytest.mark.parametrize("how", ["nearest", "bilinear"])
def test_images_that_are_decoded_again_are_resized_alike(photos, in_memory, how):
    """Before all were seen, each was read as if its format's largest value were white."""
    deep = np.random.default_rng(0).integers(0, 200, (24, 24)).astype(np.uint16)
    Image.fromarray(deep).save(photos / "dark" / "low.png")
    Image.fromarray(deep * 300).save(photos / "bright" / "high.png")
    way = Way(8, interpolation=how, in_memory=in_memory)
    found = load(photos, ("bright", "dark"), way=way)
    before = found.images.prints()
    scale_alike(found, {True: 60000.0}, way)
    assert len(found.deep) == 2
    for i, path, _ in found.deep:
        assert np.array_equal(found.images[[i]][0].numpy(), read(path, 8, "crop", how, {True: 60000.0}).pixels)
    assert [a == b for a, b in zip(before, found.images.prints(), strict=True)].count(False) == 1


def test_what_is_kept_and_what_is_asked_for_anew_are_the_same_images(photos, tmp_path):
    spoil(photos / "dark")
    cache = tmp_path / "cache.json"
    held, filed = load(photos, cache=cache), load(photos, way=Way(8, in_memory=False, workers=2), cache=cache)
    assert isinstance(held.images, HeldImages)
    assert isinstance(filed.images, ImageFiles)
    assert filed.images.workers == 2
    assert torch.equal(held.images[:], filed.images[:])
    assert torch.equal(held.labels, filed.labels)
    assert (held.digests, held.broken, held.long) == (filed.digests, filed.broken, filed.long)


def test_files_that_were_seen_are_not_decoded_again(photos, tmp_path, monkeypatch):
    """A file that cannot be read is tried again, one that changed too."""
    way, cache = Way(8, in_memory=False), tmp_path / "cache.json"
    spoil(photos / "dark")
    before = load(photos, way=way, cache=cache)
    Image.fromarray(np.full((8, 8), 7, dtype=np.uint8)).save(photos / "dark" / "3.png")
    read_now: list[str] = []
    try_read = Way.read

    def noted(self, path, *white):
        read_now.append(path.name)
        return try_read(self, path, *white)

    monkeypatch.setattr(Way, "read", noted)
    after = load(photos, way=way, cache=cache)
    assert sorted(read_now) == ["3.png", "cut.png", "empty.jpg", "huge.ppm", "liar.jpg"]
    assert [a == b for a, b in zip(before.images.prints(), after.images.prints(), strict=True)].count(False) == 1
    assert torch.equal(after.images[:], load(photos).images[:])


def test_what_an_interrupted_pass_has_seen_is_kept(photos, tmp_path):
    class Stopped(Counter):
        def advance(self, note: str = "") -> None:
            super().advance()
            if self.steps == 8:
                raise KeyboardInterrupt

    way, cache = Way(8, in_memory=False), tmp_path / "cache.json"
    with pytest.raises(KeyboardInterrupt):
        load(photos, way=way, cache=cache, progress=Stopped())
    assert len(Survey(cache, "8/crop/bicubic").known) >= 8
