"""A training outside of a run is told by epoch, and goes on in the same place."""

from __future__ import annotations

import pytest

from surgenas import api
from surgenas.core.progress import Progress
from surgenas.loggers.base import Point
from surgenas.loggers.memory import places
from surgenas.spaces.mobile import Mobile
from surgenas.studies.training_log import logged
from surgenas.training.loop import Epoch
from tests.loggers.recording import RECORDING, Recording
from tests.runs.written import GENES, Interrupting, architecture_file, pictures

A, B = f"{RECORDING}=a", f"{RECORDING}=b"


@pytest.fixture(autouse=True)
def _forget():
    yield
    Recording.forget()


def test_epochs_are_told_and_a_broken_place_is_left_alone(tmp_path):
    Recording.broken["b"] = {"known"}
    with logged(tmp_path, [A, B], {"seed": 0}, Progress()) as log:
        log.note(Epoch(0, 2.0, 0.5))
        log.note(Epoch(1, 1.0, 0.75))
        log.keep(0.875, [tmp_path / "model.onnx"])
    told = Recording.made["a"]
    assert told.points == [
        Point("train/loss", 0, 2.0), Point("train/accuracy", 0, 0.5), Point("train/loss", 1, 1.0),
        Point("train/accuracy", 1, 0.75), Point("final/test_accuracy", 0, 0.875),
    ]  # fmt: skip
    assert (told.settings, told.files, told.statuses) == ([{"seed": 0}], ["model.onnx"], ["success"])


@pytest.mark.parametrize(("raised", "status"), [(ValueError, "failed"), (KeyboardInterrupt, "aborted")])
def test_how_it_ended_is_told(tmp_path, raised, status):
    with pytest.raises(raised), logged(tmp_path, [A], {}, Progress()) as log:  # noqa: PT012
        log.note(Epoch(0, 2.0, 0.5))
        raise raised
    assert Recording.made["a"].statuses == [status]


def test_a_training_that_is_called_again_goes_on_in_the_same_place(tmp_path):
    data = str(pictures(tmp_path / "pictures", each=8))
    arch = Mobile(layout="small", resolution=16, classes=3).architecture(GENES)
    path, out = architecture_file(tmp_path / "arch.json", arch), tmp_path / "out"
    how = {"epochs": 2, "batch": 8, "accelerator": "cpu"}
    with pytest.raises(KeyboardInterrupt):
        api.train(path, data, out, log_to=[A], progress=Interrupting(1), **how)
    found = api.train(path, data, out, **how)
    told = Recording.made["a"]
    assert [p.step for p in told.points if p.name == "train/loss"] == [0, 1]
    assert told.points[-1] == Point("final/test_accuracy", 0, found.accuracy.test)
    assert told.settings[0]["architecture"] == arch.key
    assert (told.files, told.statuses) == (["model.onnx", "model.json"], ["aborted", "success"])
    assert list(places(out)) == [A]
