"""A place without words, files and an end is a logger too."""

from __future__ import annotations

from surgenas.loggers.base import Logger, Point


class Curves(Logger):
    def __init__(self):
        self.points = []

    def known(self):
        return {}

    def write(self, points):
        self.points += points

    def write_settings(self, settings):
        pass


def test_words_files_and_the_end_may_be_left_out(tmp_path):
    logger = Curves()
    logger.write([Point("search/loss", 0, 1.0)])
    logger.write_words({"target": "toy"})
    logger.keep(tmp_path / "model.onnx")
    logger.close("success")
    assert logger.points == [Point("search/loss", 0, 1.0)]
    assert logger.word == ""
