"""Writes a training outside of a run to loggers: a run has a journal to follow, this tells them itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from surgenas.core.progress import Progress
from surgenas.loggers.base import Plain, Point, Status
from surgenas.loggers.destination import Destination, Writer, destinations
from surgenas.training.loop import Epoch


class TrainingLog:
    """Tells places of the training in a folder. Nothing about that ends the training."""

    def __init__(self, places: Sequence[Destination], settings: Mapping[str, Plain]) -> None:
        self.places, self.settings = places, settings

    def note(self, epoch: Epoch) -> None:
        """Write loss and accuracy of an epoch on the training images."""
        values = {"train/loss": epoch.loss, "train/accuracy": epoch.accuracy}
        points = [Point(name, epoch.epoch, value) for name, value in values.items()]
        self._tell(lambda writer: writer.write(points))

    def keep(self, accuracy: float, files: Sequence[Path]) -> None:
        """Write the accuracy on the test part, and keep the files that came of it."""

        def work(writer: Writer) -> None:
            writer.write([Point("final/test_accuracy", 0, accuracy)], final=True)
            for file in files:
                writer.logger.keep(file)

        self._tell(work)

    def close(self, status: Status) -> None:
        """Close the places that were opened."""
        for place in self.places:
            if place.writer:
                place.tell(lambda writer: writer.logger.close(status))

    def _tell(self, work: Callable[[Writer], None]) -> None:
        for place in self.places:
            if place.writer is None:
                place.tell(lambda writer: writer.logger.write_settings(self.settings))
            place.tell(work)


@contextmanager
def logged(
    folder: Path, asked: Sequence[str], settings: Mapping[str, Plain], progress: Progress
) -> Iterator[TrainingLog]:
    """The log of the training in a folder: in every place that it has been written to, and in these."""
    log = TrainingLog(destinations(folder, asked, progress), settings)
    status: Status = "aborted"  # Ctrl-C and SIGTERM are no exceptions
    try:
        yield log
        status = "success"
    except Exception:
        status = "failed"
        raise
    finally:
        log.close(status)
