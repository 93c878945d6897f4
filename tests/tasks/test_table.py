"""Tables of paths and labels: the same images and checks as of folders, and one line for whatever cannot be meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from surgenas.core.errors import DataError
from surgenas.core.progress import Progress
from surgenas.tasks.data import Dataset, load_data
from surgenas.tasks.table import plan_table
from tests.tasks.test_folder import parted


def table(photos: Path, *lines: str, header: str = "path,label", name: str = "labels.csv") -> Path:
    """A table beside the photos, of these lines; of all photos if there are none."""
    path = photos.parent / name
    rows = lines or [f"photos/{c}/{i}.png,{c}" for c in ("dark", "bright") for i in range(10)]
    path.write_text("\n".join([header, *rows]))
    return path


def load(source: Path, **how) -> Dataset:
    how = {"max_corrupt": 0.0, "cache": source.parent / "cache", "progress": Progress(), **how}
    return load_data(str(source), 8, **how)


def refusal(path: Path, max_corrupt: float = 0.05) -> str:
    with pytest.raises(DataError) as error:
        plan_table(path, max_corrupt)
    assert "\n" not in str(error.value)
    return str(error.value)


# --- what a table says, a folder says too


def test_a_table_of_a_folder_gives_the_same_images_and_split(photos):
    path = table(photos)
    assert load(path).fingerprint == load(photos).fingerprint
    assert load(path).classes == ("bright", "dark")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]))
    assert load(path).fingerprint == load(photos).fingerprint, "in whatever order"


def test_parts_are_those_of_the_column_split(photos):
    root = parted(photos)
    files = sorted(root.rglob("*.png"))
    rows = [f"{file},{file.parent.name},{file.parent.parent.name.upper()}" for file in files]
    path = table(photos, *rows, header="path,label,split")
    found = load(path)
    assert found.fingerprint == load(root).fingerprint
    assert f"rows of the part val are the test part, which no search sees" in found.notes  # noqa: F541
    path.write_text(path.read_text() + f"\n{files[0]},{files[0].parent.name},holdout")
    assert "val lacks" not in refusal(path)


def test_the_first_of_test_eval_and_val_is_the_test_part(photos):
    rows = [f"photos/{c}/{i}.png,{c},{part}" for c in ("dark", "bright")
            for i, part in enumerate(["Training"] * 4 + ["valid"] * 3 + ["test"] * 3)]  # fmt: skip
    found = load(table(photos, *rows, header="path,label,subset"))
    assert (len(found.train), len(found.test)) == (8, 6)
    assert any("rows of the part val are not used" in note for note in found.notes)


def test_copies_do_not_cross_the_split(photos):
    shutil.copy(photos / "dark" / "9.png", photos / "dark" / "copy.png")
    rows = [f"photos/{c}/{i}.png,{c},{'test' if i > 6 else 'train'}" for c in ("dark", "bright") for i in range(10)]
    found = load(table(photos, *rows, "photos/dark/copy.png,dark,train", header="path,label,split"))
    assert (len(found.train), len(found.test)) == (14, 6)
    assert "1 image(s) to learn from are copies of images in the test part; left out" in found.notes


def test_numbers_are_classes_in_the_order_of_numbers(photos):
    rows = [f"photos/dark/{i}.png,{label}" for i, label in enumerate([10, 10, 2, 2, 1, 1])]
    assert load(table(photos, *rows)).classes == ("1", "2", "10")


def test_what_is_no_image_is_left_out_and_counted(photos):
    for name in ("a.pdf", "b.heic", "c", "._d.png"):
        (photos / "dark" / name).write_bytes(b"")
    rows = [f"photos/dark/{name},dark" for name in ("a.pdf", "b.heic", "c", "._d.png")]
    path = table(photos)
    path.write_text("\n".join([path.read_text(), *rows]))
    notes = "\n".join(plan_table(path, 0.0).notes)
    assert f"3 file(s) in {path} are not images by name; left out" in notes
    for said in ("1 .pdf", "1 .heic (to read them: pip install", "1 without a suffix", "1 hidden images"):
        assert said in notes


@pytest.mark.parametrize(
    "header", ["File_Name,Label", "filename,CLASS", "image path,target", "\ufefffile,category", '"Image","Class Name"'],
)  # fmt: skip
def test_usual_names_of_columns_are_known(photos, header):
    assert len(load(table(photos, header=header)).train) == 16


@pytest.mark.parametrize(("name", "separator"), [("x.tsv", "\t"), ("x.csv", ";"), ("x.csv", "|"), ("X.CSV", "\t")])
def test_separators(photos, name, separator):
    rows = [f"photos/{c}/{i}.png{separator}{c}" for c in ("dark", "a,b") for i in range(2)]
    shutil.copytree(photos / "bright", photos / "a,b")
    path = table(photos, *rows, header=f"path{separator}label", name=name)
    assert list(plan_table(path, 0.0).train) == ["a,b", "dark"]


def test_paths_may_be_absolute_or_written_on_windows(photos):
    rows = [f"{photos / 'dark' / '0.png'},a", r"photos\dark\1.png,a", "./photos/../photos/bright/0.png,b",
            "photos/bright/1.png,b"]  # fmt: skip
    assert [len(files) for files in plan_table(table(photos, *rows), 0.0).train.values()] == [2, 2]


def test_columns_of_no_use_are_named(photos):
    path = table(photos, header="path,label,width,fold")
    path.write_text(path.read_text().replace("dark\n", "dark,1,0\n").replace("bright\n", "bright,1,0\n") + ",1,0")
    assert "columns that are not used: width, fold" in plan_table(path, 0.0).notes


# --- what cannot be meant


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("path,label,class", "any of the columns label, class may be the label; rename or remove all but one"),
        ("image,file,label", "any of the columns image, file may be the path"),
        ("path,breed", "has no column label; its first line must name the columns path, label"),
        ("photos/dark/0.png,dark", "has no column path; .*its columns: photos/dark/0.png, dark"),
        ("id,label", "has no column path; .*its columns: id, label"),
    ],
)
def test_columns_that_are_not_clear_are_refused_with_all_their_names(photos, header, said):
    import re

    rows = [",".join(["x"] * len(header.split(",")))] * 3
    assert re.search(said, refusal(table(photos, *rows, header=header)))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["photos/dark/0.png,", "photos/dark/1.png, ", "photos/dark/2.png,dark"],
         "2 row(s) have no label, the first is line 2"),
        ([",dark"], "1 row(s) have no path"),
        (["photos/dark/0.png,dark", "photos/dark/0.png,bright"],
         "1 file(s) have several labels, first photos/dark/0.png: dark (line 2) and bright (line 3)"),
        (["photos/dark/0.png,dark", "photos/dark/./0.png,bright"], "1 file(s) have several labels"),
        (["photos/dark/0.png,dark,1"], "line 2: 3 cells, but the first line names 2 columns"),
        (['photos/dark/0.png,"dark'], "check the quotation marks"),
        (["photos/dark/0.png,dark"] * 2, "has 1 class(es); a classifier needs at least 2"),
        (["photos/dark/0.png,a", "photos/dark/1.png,b", "photos/dark/2.png,b"],
         "class a of {path} holds a single image; at least 2"),
        (["", "  "], "has no rows"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_meant_are_refused_by_number(photos, lines, said):
    path = table(photos, *lines)
    assert said.replace("{path}", str(path)) in refusal(path)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (["fold0", "fold1"], "the part of a row is unknown: fold0, fold1; expected train and test"),
        (["train", "9"], "the part of a row is unknown: 9"),
        (["test", "val"], "no row is to learn from, since the parts are test, val"),
        (["train", ""], "1 row(s) have no split"),
    ],
)
def test_parts_that_cannot_be_meant_are_refused(photos, parts, said):
    rows = [f"photos/dark/{i}.png,dark,{part}" for i, part in enumerate(parts)]
    assert said in refusal(table(photos, *rows, header="path,label,split"))


def test_classes_that_differ_between_parts_are_named(photos):
    rows = [f"photos/{c}/{i}.png,{c},{p}" for c in ("dark", "bright") for i, p in enumerate(["train", "test"])]
    path = table(photos, *rows, "photos/dark/5.png,odd,train", header="path,label,split")
    assert f"{path} (test) lacks odd" in refusal(path)


def test_missing_files_are_counted_and_a_few_are_left_out(photos, listener):
    for i in range(3):
        (photos / "dark" / f"{i}.png").unlink()
    path = table(photos)
    assert "3 of 20 files do not exist (limit 5%, --max-corrupt), first photos/dark/0.png" in refusal(path)
    found = load(path, max_corrupt=0.2, progress=listener)
    assert len(found.train) + len(found.test) == 17
    note = f"3 of 20 files of {path} do not exist; left out, first photos/dark/0.png"
    assert note in found.notes
    assert listener.said.count(note) == 1


def test_files_that_lie_below_the_present_folder_are_seen(photos, monkeypatch):
    monkeypatch.chdir(photos.parent)
    path = table(photos)
    (photos / "csv").mkdir()
    moved = path.rename(photos / "csv" / "labels.csv")
    assert refusal(moved).endswith("they are there as seen from the present folder: move the table here")


def test_a_class_of_which_all_files_are_missing_does_not_vanish(photos):
    rows = [f"photos/dark/{i}.png,{c}" for i, c in enumerate("aaaaabbbbb")] + ["gone.png,c"]
    path = table(photos, *rows)
    assert f"class c of {path} is empty" in refusal(path, 0.1)


def test_a_file_named_again_with_the_same_label_counts_once(photos):
    path = table(photos)
    path.write_text(path.read_text() + "\nphotos/dark/0.png,dark")
    plan = plan_table(path, 0.0)
    assert [len(files) for files in plan.train.values()] == [10, 10]
    assert f"1 row(s) of {path} name a file again, with the same label; counted once" in plan.notes


def test_images_are_read_as_those_of_folders(photos):
    (photos / "dark" / "0.png").write_bytes(b"no image")
    path = table(photos)
    with pytest.raises(DataError, match=r"1 of 20 images in .*labels.csv cannot be read"):
        load(path)
    assert torch.equal(load(path, max_corrupt=0.1).train.images[:], load(photos, max_corrupt=0.1).train.images[:])
