"""Makes a logger for Lightning Fabric one of ours: those of Lightning, and of many other packages, have its methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING

from surgenas.loggers.base import Logger, Plain, Point, Status

if TYPE_CHECKING:
    from lightning_fabric.loggers.logger import Logger as FabricLogger


class OfFabric(Logger):
    """A logger for Fabric. It cannot say what it has: in each session it is told everything from the beginning, which
    is right for those that begin a new version each time."""

    def __init__(self, logger: FabricLogger) -> None:
        self.logger = logger

    def known(self) -> Mapping[tuple[str, int], float]:
        return {}

    def write(self, points: Sequence[Point]) -> None:
        for step, some in groupby(points, key=lambda point: point.step):
            self.logger.log_metrics({point.name: point.value for point in some}, step)
        self.logger.save()

    def write_settings(self, settings: Mapping[str, Plain]) -> None:
        with suppress(NotImplementedError):  # as in Lightning's own CSVLogger
            self.logger.log_hyperparams(dict(settings))

    def close(self, status: Status) -> None:
        self.logger.finalize(status)
