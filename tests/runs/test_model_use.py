"""model.json: what it says of a data set, and that a damaged one is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest

from surgenas.core.errors import CorruptError, SurgenasError
from surgenas.core.progress import Progress
from surgenas.runs.model_use import ModelUse, maker_of, read_use, use_of, write_use
from surgenas.runs.names import USE
from surgenas.runs.results import ModelFile
from surgenas.tasks import Fit
from surgenas.tasks.data import load_data
from tests.runs.written import pictures


@pytest.fixture
def use(tmp_path):
    data = load_data(str(pictures(tmp_path / "p", 4)), 16, max_corrupt=0, cache=tmp_path / "c", progress=Progress())
    return use_of(data, (3, 16, 16), {"model.onnx": ModelFile()})


def test_it_says_what_is_done_to_an_image_and_what_comes_out(use, tmp_path):
    write_use(tmp_path / USE, use)
    found = json.loads((tmp_path / USE).read_text())
    assert found["classes"] == ["bright", "dark", "middling"]
    assert (found["width"], found["height"], found["channels"], found["layout"]) == (16, 16, "RGB", "NCHW")
    assert found["scale"] == 1 / 255
    assert len(found["mean"]) == len(found["std"]) == 3
    assert (found["interpolation"], found["output"]) == ("bicubic", "logits")
    assert "centred" in found["resize"]
    assert "upright" in found["exif"]
    assert found["files"] == {"model.onnx": {"precision": "fp32", "batch": None, "runtime": None}}
    assert read_use(tmp_path) == use


def test_a_data_set_that_is_resized_in_another_way_says_so(tmp_path):
    digits = load_data("digits", 16, max_corrupt=0, cache=tmp_path, progress=Progress())
    use = use_of(digits, (3, 16, 16), {})
    assert (use.interpolation, use.fit) == ("bilinear", "squash")


@pytest.mark.parametrize("fit", get_args(Fit))
def test_how_images_become_square_is_said_as_it_was_asked_for(tmp_path, fit):
    folder, cache = str(pictures(tmp_path / "p", 4)), tmp_path / "c"
    data = load_data(folder, 16, max_corrupt=0, cache=cache, progress=Progress(), fit=fit)
    use = use_of(data, (3, 16, 16), {})
    assert use.fit == fit
    assert ("centred" in use.resize) == (fit != "squash")


def test_one_that_is_missing_or_damaged_says_what_to_do(tmp_path):
    with pytest.raises(SurgenasError, match=r"no model\.json; `surgenas resume"):
        read_use(tmp_path)
    for text in ("{", "{}", "[]"):
        (tmp_path / USE).write_text(text)
        with pytest.raises(CorruptError, match="surgenas resume"):
            read_use(tmp_path)


def test_what_white_is_goes_with_the_network_where_images_have_more_than_8_bits(use):
    assert use.white == {}
    assert replace(use, white_whole=4095.0).white == {True: 4095.0}
    assert replace(use, white_float=1.0).white == {False: 1.0}
    record = use.to_json()
    del record["white_whole"], record["white_float"]
    assert ModelUse.from_json(record) == use, "files of before"


def test_what_is_missing_is_made_by_the_command_that_makes_such_a_folder(tmp_path):
    assert maker_of(tmp_path) == f"`surgenas resume {tmp_path}`"
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "training.json").write_text("{}")
    assert maker_of(tmp_path).startswith(f"`surgenas train --out {tmp_path}`")
