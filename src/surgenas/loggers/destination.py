"""One place that a run is written to: what is there already is not written again, and what fails ends nothing."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from textwrap import shorten

from surgenas.core.errors import EnvironmentFault, SurgenasError
from surgenas.core.files import make_folder
from surgenas.core.progress import Progress
from surgenas.loggers import make_logger
from surgenas.loggers.base import Logger, Point
from surgenas.loggers.memory import places, remember

MOST = 300
"""Characters of what a place says that are shown."""
SAME = 1e-6
"""Values that differ by no more, relatively, are one: TensorBoard keeps floats of 32 bits."""


class Writer:
    """A logger that is open, and what it has. written: how many points it was told."""

    def __init__(self, logger: Logger) -> None:
        self.logger, self.written = logger, 0
        self._known = dict(logger.known())

    def write(self, points: Sequence[Point], *, final: bool = False) -> None:
        """Write the points that are not there yet. final: also those that are there with another value."""

        def is_new(point: Point) -> bool:
            known = self._known.get((point.name, point.step))
            return known is None or (final and not math.isclose(known, point.value, rel_tol=SAME))

        new = [point for point in points if math.isfinite(point.value) and is_new(point)]
        if new:
            self.logger.write(new)
            self._known |= {(point.name, point.step): point.value for point in new}
            self.written += len(new)


class Destination:
    """A place, named as `loggers.make_logger` takes it, for the run in a folder. It is opened when there is something
    to tell.

    strict: raise EnvironmentFault for what fails there. Otherwise it is said once, in one line, and the place is told
    no more: `surgenas log` writes later what is missing there.
    """

    def __init__(self, to: str, folder: Path, progress: Progress, *, strict: bool = False) -> None:
        self.to, self.folder, self.progress, self.strict = to, folder, progress, strict
        self.failed = False
        self.writer: Writer | None = None

    def tell(self, work: Callable[[Writer], None]) -> None:
        """Do something with the place, unless it failed before."""
        if self.failed:
            return
        try:
            with redirect_stdout(sys.stderr):  # MLflow prints there, where --json promises one object
                self.writer = self.writer or self._opened()
                work(self.writer)
        except Exception as error:  # whatever a tracking server, a disk or a logger of others does
            self.failed = True
            text = shorten(str(error), MOST, placeholder=" ..") or type(error).__name__
            what = text if isinstance(error, SurgenasError) else f"{type(error).__name__}: {text}"
            if self.strict:
                raise EnvironmentFault(f"{self.to} cannot be written: {what}") from error
            self.progress.log(
                f"{self.to} cannot be written ({what}); the work goes on without, and "
                f"`surgenas log {self.folder} --to {self.to}` writes later what is missing there"
            )

    def _opened(self) -> Writer:
        writer = Writer(make_logger(self.to, self.folder, places(self.folder).get(self.to, "")))
        remember(self.folder, self.to, writer.logger.word)
        return writer


def destinations(folder: Path, asked: Sequence[str], progress: Progress) -> list[Destination]:
    """Every place that the run in this folder has been written to, and these; later sessions know them all."""
    try:
        if asked:
            make_folder(folder)
        for to in asked:
            remember(folder, to)
        known = places(folder)
    except SurgenasError as error:
        progress.log(f"nothing is logged: {error}")
        known = {}
    return [Destination(to, folder, progress) for to in known]
