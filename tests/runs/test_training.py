"""One recipe for all networks of a run, and a file for each one's weights."""

from __future__ import annotations

import pytest

from surgenas.runs.results import Planned
from surgenas.runs.training import DEFAULT_EPOCHS, DIGITS_EPOCHS, recipe, weights_file
from tests.runs.written import new_run


def test_epochs_are_as_asked_by_the_data_or_by_the_plan(tmp_path, images):
    run = new_run(tmp_path / "asked", train_epochs=3, batch=17)
    assert (recipe(run).epochs, recipe(run).batch) == (3, 17)
    run.record("plan", Planned(1, 2, 0.0, 0.0, 0.0, 0.0, 1))
    assert recipe(run).epochs == 2, "a time limit may allow less"
    assert recipe(new_run(tmp_path / "digits")).epochs == DIGITS_EPOCHS
    assert recipe(new_run(tmp_path / "images", data=images)).epochs == DEFAULT_EPOCHS


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("found", "model.safetensors"),
        ("MobileNetV2", "models-MobileNetV2.safetensors"),
        ("random at equal latency 12", "models-random-at-equal-latency-12.safetensors"),
    ],
)
def test_weights_have_a_file_by_name(name, file):
    assert weights_file(name) == file
