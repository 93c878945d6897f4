"""Every image below a class folder, whatever links lead there, and nothing that a tool left behind."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from surgenas.core.errors import DataError
from surgenas.tasks.listing import explain, image_suffixes, list_images, subfolders


def put(folder: Path, *names: str) -> Path:
    """Files of these names; their content does not matter."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in list_images(folder).images]


def test_images_in_folders_below_come_in_the_order_of_their_paths(tmp_path):
    put(tmp_path, "b.png", "a/z.PNG", "a/b/c.jpeg", "a-1.png", "c.webp")
    assert names(tmp_path) == ["a/b/c.jpeg", "a/z.PNG", "a-1.png", "b.png", "c.webp"]


def test_linked_folders_and_files_count_once(tmp_path):
    folder = put(tmp_path / "class", "a.png", "sub/b.png")
    elsewhere = put(tmp_path / "elsewhere", "c.png", "deep/d.png")
    (folder / "more").symlink_to(elsewhere)
    (folder / "again").symlink_to(folder / "sub")
    (folder / "too").symlink_to(elsewhere / "deep")
    (folder / "file.png").symlink_to(elsewhere / "c.png")
    found = {path.name for path in list_images(folder).images}
    assert found == {"a.png", "b.png", "c.png", "d.png", "file.png"}
    assert len(list_images(folder).images) == 5
    (tmp_path / "link").symlink_to(folder)
    assert len(list_images(tmp_path / "link").images) == 5
    assert subfolders(tmp_path) == ["class", "elsewhere", "link"]


def test_links_that_lead_back_are_not_followed_and_named(tmp_path):
    folder = put(tmp_path / "root" / "dark", "a.png", "sub/b.png")
    put(tmp_path / "root" / "bright", "c.png")
    other = put(tmp_path / "other", "d.png")
    (folder / "up").symlink_to(tmp_path / "root")
    (folder / "sub" / "self").symlink_to(".")
    (folder / "itself").symlink_to(folder / "itself")
    (folder / "other").symlink_to(other)
    (other / "back").symlink_to(folder / "sub" / "..")
    listing = list_images(folder)
    assert names(folder) == ["a.png", "other/d.png", "sub/b.png"]
    assert {path.name for path in listing.loops} == {"up", "self", "back"}
    assert all("leads back" in note for note in explain(folder, [listing]))


def test_a_link_to_an_image_that_is_gone_counts_as_an_image(tmp_path):
    """So that it is named as one that cannot be read."""
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert names(tmp_path) == ["gone.png"]


@pytest.mark.parametrize(
    "left", [".ipynb_checkpoints/0-checkpoint.png", "__MACOSX/0.png", "@eaDir/0.png/thumb.jpg", "sub/.thumbs/0.png",
             "._0.png", ".0.png", "Thumbs.db", "desktop.ini", ".DS_Store", "$RECYCLE.BIN/0.png"],
)  # fmt: skip
def test_what_tools_leave_behind_is_no_image(tmp_path, left):
    put(tmp_path, "0.png", left)
    listing = list_images(tmp_path)
    assert names(tmp_path) == ["0.png"]
    assert not listing.suffixes
    notes = explain(tmp_path, [listing])
    assert len(notes) == ("png" in left or "jpg" in left), "what never was an image need not be told of"
    assert not {name.split("/")[0] for name in [left]} & set(subfolders(tmp_path)) - {"sub"}


def test_suffixes_that_are_left_out_are_named_with_their_number(tmp_path):
    put(tmp_path / "a", "1.heic", "2.HEIC", "x.pdf", "0.png", "README")
    put(tmp_path / "b", "3.heic", "clip.mpg", "table.h5")
    listings = [list_images(tmp_path / name) for name in "ab"]
    assert listings[0].suffixes == Counter({".heic": 2, ".pdf": 1, "without a suffix": 1})
    (note,) = explain(tmp_path, listings)
    assert note.startswith(f"7 file(s) in {tmp_path} are not images by name; left out: 3 .heic (to read them: pip ")
    for said in ("1 .pdf", "1 .mpg", "1 .h5", "1 without a suffix"):
        assert said in note
    assert explain(tmp_path, [list_images(put(tmp_path / "c", "0.png"))]) == []


def test_heic_is_an_image_where_pillow_heif_is(tmp_path, monkeypatch):
    """A package that registers its suffixes as pillow-heif does."""
    put(tmp_path, "0.heic", "1.png")
    assert ".heic" not in image_suffixes(), "it is not installed here"
    known = dict(Image.registered_extensions())
    fake = SimpleNamespace(
        register_heif_opener=lambda: known.update({".heic": "HEIF"}), __spec__=SimpleNamespace(name="pillow_heif")
    )
    monkeypatch.setitem(sys.modules, "pillow_heif", fake)
    monkeypatch.setattr(Image, "registered_extensions", lambda: known)
    assert names(tmp_path) == ["0.heic", "1.png"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone cannot be read \(No such file or directory\)"):
        list_images(tmp_path / "gone")
