"""Questions that are no run, from Python: each answers with a frozen value that goes to JSON."""

from __future__ import annotations

import json
from dataclasses import is_dataclass

import pytest

from surgenas import api
from surgenas.core.errors import UsageError
from tests.runs.written import TOY, architecture_file, written_run


def test_what_is_exported_is_there():
    assert all(hasattr(api, name) for name in api.__all__)


@pytest.fixture
def answers(tmp_path):
    arch = architecture_file(tmp_path / "arch.json")
    one, other = (written_run(tmp_path / name, accuracy).folder for name, accuracy in (("a", 0.9), ("b", 0.8)))
    return {
        "measure": api.measure([arch], [TOY], yardstick=str(arch)),
        "scale": api.scale(arch, TOY, tmp_path / "scaled", knob="resolution", most=1.5),
        "operators": api.operators([TOY], tmp_path / "operators", space="shuffle", resolution=16, keep=2),
        "compare": api.compare([one, other]),
    }


def test_every_answer_is_frozen_plain_and_shows_in_a_notebook(answers):
    for name, answer in answers.items():
        assert is_dataclass(answer), name
        assert answer.__dataclass_params__.frozen, name
        assert json.loads(json.dumps(answer.to_json(), allow_nan=False)), name
        assert answer._repr_html_().startswith("<table>"), name


def test_pages_are_where_the_answer_says(answers):
    for name in ("scale", "operators"):
        with open(answers[name].report) as page:
            assert page.read(15).lower().startswith(("<html", "<!doctype"))


def test_paths_may_be_text(tmp_path):
    folder = written_run(tmp_path / "a").folder
    other = written_run(tmp_path / "b").folder
    assert api.compare([str(folder), other]).runs[0].name == "a"
    with pytest.raises(UsageError, match="colour 1: unknown setting"):
        api.improvement(tmp_path / "ri", ["digits"], ["surgenas"], settings={"colour": 1})
