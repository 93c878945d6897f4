"""Loggers for Fabric are told in their words."""

from __future__ import annotations

from surgenas.loggers import make_logger
from surgenas.loggers.base import Point
from surgenas.loggers.fabric import OfFabric
from tests.loggers.recording import ForFabric


def test_it_is_told_everything_by_step():
    told = ForFabric("here")
    logger = OfFabric(told)
    assert logger.known() == {}
    logger.write_settings({"seed": 0})
    logger.write([Point("a", 0, 1.0), Point("b", 0, 2.0), Point("a", 1, 3.0)])
    logger.close("success")
    assert told.told == [{"seed": 0}, (0, {"a": 1.0, "b": 2.0}), (1, {"a": 3.0}), "success"]


def test_lightnings_own_csv_logger_takes_no_settings_and_writes_the_curves(tmp_path):
    logger = make_logger("lightning_fabric.loggers:CSVLogger", tmp_path)
    logger.write_settings({"seed": 0})
    logger.write([Point("search/loss", 0, 1.5), Point("search/loss", 1, 1.25)])
    logger.close("success")
    (written,) = tmp_path.glob("logs/**/metrics.csv")
    assert written.read_text().split() == ["search/loss,step", "1.5,0", "1.25,1"]
