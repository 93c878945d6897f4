"""Folders that are parts of a data set never become its classes, whatever they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgenas.core.errors import DataError
from surgenas.tasks.parts import find_parts, role_of


def laid_out(root: Path, *folders: str) -> Path:
    """An image in each of these folders."""
    for name in folders:
        (root / name).mkdir(parents=True)
        (root / name / "0.png").write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "val"), ("Training", "Testing"), ("Train", "Test"), ("TRAIN", "TEST"), ("training_set", "test_set"),
     ("train_images", "valid"), ("train2017", "val2017"), ("trainset", "testset"), ("Trainingsdaten", "Validierung"),
     ("entraînement", "essai"), ("训练集", "测试集"), ("train", "dev"), ("train", "eval"), ("train", "hold-out"),
     ("обучение", "тест"), ("Entrenamiento", "Prueba"), ("学習データ", "テストデータ"),
     ("training-data", "validation")],
)  # fmt: skip
def test_usual_names_of_parts_are_known(tmp_path, train, test):
    laid_out(tmp_path, *(f"{part}/{name}" for part in (train, test) for name in ("cat", "dog")))
    parts = find_parts(tmp_path)
    assert (parts.train, parts.test) == (tmp_path / train, tmp_path / test)
    assert parts.notes == (f"{train}/ is learnt from; {test}/ is the test part, which no search sees",)


@pytest.mark.parametrize(
    "name", ["cat", "trained", "trains", "attest", "data", "images", "set", "1", "strain", "retest"]
)
def test_other_names_are_not(name):
    assert role_of(name) == ""


@pytest.mark.parametrize("names", [("cat", "dog"), ("car", "train"), ("test", "blank", "train"), ("valid", "invalid")])
def test_class_folders_are_classes_even_if_one_is_called_train(tmp_path, names):
    parts = find_parts(laid_out(tmp_path, *names))
    assert (parts.train, parts.test, parts.notes) == (tmp_path, None, ())


def test_classes_may_have_folders_below(tmp_path):
    images = laid_out(tmp_path / "a", "cat/images", "dog/images", "train/images")
    years = laid_out(tmp_path / "b", "cat/2019", "cat/2020", "dog/2020")
    for root in (images, years):
        assert find_parts(root).train == root


def test_test_is_tested_with_rather_than_validation(tmp_path):
    laid_out(tmp_path, *(f"{part}/{name}" for part in ("Train", "Val", "Test", "Eval") for name in ("cat", "dog")))
    parts = find_parts(tmp_path)
    assert parts.test == tmp_path / "Test"
    assert parts.notes[0] == "Train/ is learnt from; Test/ is the test part, which no search sees"
    assert sorted(note.split()[0] for note in parts.notes[1:]) == ["Eval/", "Val/"]
    assert all("is not used" in note for note in parts.notes[1:])


def test_a_part_without_classes_is_not_tested_with(tmp_path):
    laid_out(tmp_path, "train/cat", "train/dog", "val/cat", "val/dog", "test", "extra")
    parts = find_parts(tmp_path)
    assert parts.test == tmp_path / "val"
    assert any(note == "test/ is not used: it holds no class folders" for note in parts.notes)
    assert any(note.startswith("extra/ is not used") for note in parts.notes)
    only = laid_out(tmp_path / "only", "train/cat", "train/dog", "test")
    assert (find_parts(only).train, find_parts(only).test) == (only / "train", None)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("A1/cat", "A1/dog", "B2/cat", "B2/dog"), r"A1/, B2/, with no images of their own and each with cat/, dog/"),
        (("cat/train", "cat/test", "dog/train", "dog/test"), r"cat/, dog/, .* each with test/, train/"),
        (("test/cat", "test/dog", "val/cat", "val/dog"), r"test/, val/, names of parts and not of classes"),
        (("train", "test"), r"test/, train/, names of parts and not of classes"),
        (("train/s1/cat", "train/s1/dog", "train/s2/cat", "train/s2/dog", "test/cat"), r"train holds s1/, s2/, with"),
        (("train/cat", "train/dog", "Training/cat", "Training/dog"), r"several parts to learn from \(Training/, "),
        (("car", "plane", "train/steam", "train/electric"), r"train/ with folders below, and images in car/, plane/"),
        (("photos/cat", "photos/dog"), r"1 class folder\(s\).*did you mean .*photos\?"),
    ],
)  # fmt: skip
def test_what_is_laid_out_in_another_way_is_refused_by_name(tmp_path, folders, said):
    with pytest.raises(DataError, match=said):
        find_parts(laid_out(tmp_path, *folders))
