"""TensorBoard's own reader finds what was written, once."""

from __future__ import annotations

import pytest

from surgenas.loggers import make_logger
from surgenas.loggers.base import Point

pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

POINTS = [Point("search/loss", 0, 2.5), Point("search/loss", 1, 2.25)]


def read(folder):
    return EventAccumulator(str(folder)).Reload()


def written(tmp_path, to="tensorboard", word="", points=POINTS):
    logger = make_logger(to, tmp_path, word)
    known = logger.known()
    logger.write_settings({"data.source": "digits", "seed": 3, "strict": False})
    logger.write(points)
    logger.write_words({"final/found/grade": "A"})
    logger.close("success")
    return logger, known


def test_curves_settings_and_words_are_read_back(tmp_path):
    written(tmp_path)
    found = read(tmp_path / "tensorboard")
    assert [(e.step, e.value) for e in found.Scalars("search/loss")] == [(0, 2.5), (1, 2.25)]
    content = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    settings = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert (settings["data.source"].string_value, settings["seed"].number_value) == ("digits", 3)
    assert b"A" in found.Tensors("final/found/grade/text_summary")[0].tensor_proto.string_val


def test_another_session_knows_the_points_and_tells_settings_once(tmp_path):
    written(tmp_path)
    _, known = written(tmp_path, points=[Point("search/loss", 2, 2.0)])
    assert known == {("search/loss", 0): 2.5, ("search/loss", 1): 2.25}
    assert [e.step for e in read(tmp_path / "tensorboard").Scalars("search/loss")] == [0, 1, 2]
    assert len(list((tmp_path / "tensorboard").iterdir())) == 2, "an event file a session"


def test_more_points_than_tensorboard_shows_are_known(tmp_path):
    written(tmp_path, points=[Point("search/loss", step, float(step)) for step in range(12_000)])
    assert len(make_logger("tensorboard", tmp_path).known()) == 12_000


def test_runs_of_one_name_do_not_write_into_each_other(tmp_path):
    folders = [tmp_path / where / "run" for where in ("a", "b")]
    first, second = (written(folder, f"tensorboard={tmp_path / 'logs'}")[0] for folder in folders)
    assert (first.word, second.word) == (str(tmp_path / "logs" / "run"), str(tmp_path / "logs" / "run-2"))
    again = make_logger(f"tensorboard={tmp_path / 'logs'}", folders[0], first.word)
    assert again.known().keys() == {("search/loss", 0), ("search/loss", 1)}
