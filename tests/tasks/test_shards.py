"""Tar shards as WebDataset lays them out: the images of folders, in any order, and one line for what cannot be read."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path

import pytest
import torch

from surgenas.core.errors import DataError
from surgenas.core.progress import Progress
from surgenas.tasks.data import load_data
from surgenas.tasks.shards import Member, expand, is_shards, plan_shards


def write(shard: Path, files: dict[str, bytes]) -> None:
    shard.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(shard, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def packed(photos: Path, folder: Path) -> str:
    """The photos in three shards, the label of every other one in a .json."""
    paths = sorted(photos.rglob("*.png"))
    for n in range(3):
        files = {}
        for i, path in enumerate(paths):
            if i % 3 == n:
                name = f"{path.parent.name}/{i:04}"
                files[f"{name}.PNG"] = path.read_bytes()
                said = json.dumps({"label": path.parent.name, "width": 20}).encode()
                files |= {f"{name}.json": said} if i % 2 else {f"{name}.cls": f"{path.parent.name}\n".encode()}
        write(folder / f"part-{n:03}.tar", files)
    return f"{folder}/part-{{000..002}}.tar"


def load(source: str, tmp_path: Path, **how):
    return load_data(source, 8, max_corrupt=0.0, cache=tmp_path / "cache", progress=Progress(), **how)


@pytest.mark.parametrize("memory", [1e9, 100.0])
def test_shards_hold_what_folders_hold(photos, tmp_path, memory):
    found = load(packed(photos, tmp_path / "shards"), tmp_path, memory=memory, workers=1)
    folder = load(str(photos), tmp_path)
    assert found.classes == folder.classes
    both = (
        {image.numpy().tobytes() for image in torch.cat([d.train.images[:], d.test.images[:]])} for d in (found, folder)
    )
    assert len(set.union(*both)) == 20, "the same ones"
    picks = torch.arange(len(found.train)).split(5)
    assert torch.equal(torch.cat(list(found.train.images.batches(picks))), found.train.images[:])


def test_patterns_name_shards_in_order(tmp_path):
    names = [f"a{i}-{j:02}.tar" for i in (1, 2) for j in (8, 9, 10)]
    for name in names:
        write(tmp_path / name, {})
    assert [path.name for path in expand(f"{tmp_path}/a{{1..2}}-{{08..10}}.tar")] == names
    assert [path.name for path in expand(f"{tmp_path}/a*.tar")] == sorted(names)
    assert list(expand(f"{tmp_path}/a1-08.tar")) == [tmp_path / "a1-08.tar"]
    assert [is_shards(source) for source in ("x/{0..9}.tar", "X.TAR", "x.tar.gz", "x.tgz")] == [True] * 4
    assert not is_shards("photos")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a1-{10..11}.tar", r"no such file .*a1-10.tar \(several are \{000..099\}.tar, or \* in a name\)"),
        ("b*.tar", "no such file$"),
        ("b?.tar", "no such file .*b\\?.tar"),
        ("{0..999999999}.tar", "0 to 999999999 are more than 100000 shards"),
        ("x.tar.gz", "images in a compressed tar file have no places; unpack it to a .tar"),
    ],
)
def test_what_names_no_shards_is_one_line(tmp_path, pattern, said):
    with pytest.raises(DataError, match=said):
        list(expand(f"{tmp_path}/{pattern}"))


def test_classes_that_are_numbers_come_by_number(photos, tmp_path):
    image = (photos / "dark" / "0.png").read_bytes()
    files = {f"{i}.png": image + bytes([i]) for i in range(6)} | {
        f"{i}.cls": str([2, 10, 9][i % 3]).encode() for i in range(6)
    }
    write(tmp_path / "x.tar", {**files, "readme.txt": b"hello", "README": b"hello"})
    plan = plan_shards(str(tmp_path / "x.tar"))
    assert list(plan.train) == ["2", "9", "10"]
    assert plan.notes == ("2 sample(s) without an image are left out",)
    assert [str(member) for member in plan.train["9"]] == [f"{tmp_path}/x.tar/2.png", f"{tmp_path}/x.tar/5.png"]


IMAGE = b"an image"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.png": IMAGE}, "the sample a names no class; it needs a.cls, or a.json with a cls or label"),
        ({"a.png": IMAGE, "a.json": b"{}"}, "the sample a names no class"),
        ({"a.png": IMAGE, "a.json": b"{"}, "a.json cannot be read"),
        ({"a.png": IMAGE, "a.json": b"[1]"}, "a.json cannot be read"),
        ({"a.png": IMAGE, "a.jpg": IMAGE, "a.cls": b"1"}, "the sample a has 2 images; keep one of them"),
        ({"a.png": IMAGE, "a.cls": b"1"}, "has 1 class"),
        ({"a.png": IMAGE, "a.cls": b"1", "b.png": IMAGE, "b.cls": b"2"}, "class 1 of .* holds a single image"),
        ({}, r"has 0 class\(es\); a classifier needs at least 2$"),
        ({"a.v1.png": IMAGE, "a.cls": b"1"}, "at least 2; 1 sample.s. without an image are left out"),
        ({"a.png": IMAGE, "a.json": b'{"cls": [1]}'}, "a.json names no class; expected a word or a number"),
        ({"a.png": IMAGE, "a.json": b'{"cls": true}'}, "a.json names no class; expected a word or a number"),
        ({"a.png": IMAGE, "a.cls": b"a\0b"}, "a.cls names no class; expected a word or a number"),
        ({"a.png": IMAGE, "a.json": b'{"a":' + b"[" * 100_000}, "a.json cannot be read"),
        ({"a.png": IMAGE, "a.PNG": IMAGE, "a.cls": b"1"}, "the sample a has two files .png; keep one of them"),
        (
            {"train/a.png": IMAGE, "train/a.cls": b"1", "test/a.png": IMAGE, "test/a.cls": b"1"},
            "test and train are parts of a data set, which are not told apart in shards; give one part",
        ),
    ],
)
def test_what_no_sample_can_mean_is_one_line(tmp_path, files, said):
    write(tmp_path / "x.tar", files)
    with pytest.raises(DataError, match=said):
        plan_shards(str(tmp_path / "x.tar"))


@pytest.mark.parametrize("keep", [100, 700, 0.6])
def test_a_shard_that_is_cut_off_or_no_tar_file_is_named(photos, tmp_path, keep):
    source = packed(photos, tmp_path / "shards")
    shard = tmp_path / "shards" / "part-001.tar"
    content = shard.read_bytes()
    shard.write_bytes(content[: int(len(content) * keep) if keep < 1 else keep])
    with pytest.raises(
        DataError, match=r"part-001.tar cannot be read as a tar file \(.*\); restore it, or leave it out"
    ):
        plan_shards(source)


@pytest.mark.parametrize("spoilt", ["a header", "two in a row"])
def test_a_shard_that_goes_on_behind_what_tarfile_takes_for_its_end_is_named(photos, tmp_path, spoilt):
    source = packed(photos, tmp_path / "shards")
    shard = tmp_path / "shards" / "part-001.tar"
    content = shard.read_bytes()
    at = [found.start() for found in re.finditer(b"bright/", content)][3]
    damaged = content[: at + 150] + b"\xff" + content[at + 151 :]
    shard.write_bytes(damaged if spoilt == "a header" else content + content)
    with pytest.raises(
        DataError, match=r"part-001.tar cannot be read .*damaged at byte \d+, or more than one tar file"
    ):
        plan_shards(source)


def test_labels_are_words_without_what_stands_around_them(tmp_path):
    said = {
        "a.cls": b"\xef\xbb\xbf cat\n",
        "b.json": b'{"cls": null, "label": " cat "}',
        "c.json": b'{"cls": "", "label": 7}',
    }
    files = {f"{name}.png": IMAGE for name in "abcd"} | said | {"d.cls": b"7", ".hid/a.png": IMAGE, "._a.png": IMAGE}
    write(tmp_path / "x.tar", files)
    assert {name: len(its) for name, its in plan_shards(str(tmp_path / "x.tar")).train.items()} == {"7": 2, "cat": 2}


def test_a_shard_that_became_shorter_is_an_error_of_its_image(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"12345")
    assert Member(tmp_path / "x.tar", "a.png", 1, 4).read_bytes() == b"2345"
    with pytest.raises(OSError, match="ends too early"):
        Member(tmp_path / "x.tar", "a.png", 2, 4).read_bytes()
