"""Who follows a run's journal writes it to loggers as well: the work itself knows of none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from surgenas.core.errors import Interrupted
from surgenas.loggers.base import Status
from surgenas.loggers.destination import Destination, Writer, destinations
from surgenas.runs.journal import Event
from surgenas.runs.logged import Curves, files_of, final_points, final_words, settings_of
from surgenas.runs.results import Verified
from surgenas.runs.run import Run


class Follower:
    """Tells one place what a run's journal holds, and from then on what is appended to it."""

    def __init__(self, run: Run, place: Destination) -> None:
        self.run, self.place = run, place
        self._curves: Curves | None = None

    def __call__(self, event: Event) -> None:
        """Hear of an event that was just appended. The first one brings along all before it."""
        self.place.tell(lambda writer: self._hear(writer, event))

    def catch_up(self) -> None:
        """Tell all that the journal holds."""
        self.place.tell(self._catch_up)

    def end(self, status: Status) -> None:
        """Tell what a finished run ended with, and close the place if it was opened."""
        if self.place.writer:
            self.place.tell(lambda writer: self._end(writer, status))

    def _hear(self, writer: Writer, event: Event) -> None:
        if self._curves is None:
            self._catch_up(writer)
        else:
            writer.write(self._curves.points(event))

    def _catch_up(self, writer: Writer) -> None:
        self._curves = curves = Curves()
        writer.logger.write_settings(settings_of(self.run.config))
        writer.write([point for event in self.run.journal.events for point in curves.points(event)])

    def _end(self, writer: Writer, status: Status) -> None:
        if self.run.result(Verified):
            writer.write(final_points(self.run), final=True)
            writer.logger.write_words(final_words(self.run))
            for file in files_of(self.run):
                if file.is_file():
                    writer.logger.keep(file)
        writer.logger.close(status)


@contextmanager
def followed(run: Run, also: Sequence[str] = ()) -> Iterator[None]:
    """Write what happens to the run in this block to every place that it has been written to, and to these.

    Nothing about that ends the run.
    """
    followers = [Follower(run, place) for place in destinations(run.folder, also, run.progress)]
    run.journal.followers.extend(followers)
    status: Status = "aborted"  # Ctrl-C and SIGTERM are no exceptions
    try:
        yield
        status = "success"
    except Interrupted:
        raise
    except Exception:
        status = "failed"
        raise
    finally:
        for follower in followers:
            run.journal.followers.remove(follower)
            follower.end(status)


def write_logs(run: Run, asked: Sequence[str]) -> dict[str, int]:
    """Write a run, finished or not, to these places; how many points each did not have yet.

    Raises EnvironmentFault for one that fails.
    """
    written = {}
    for to in dict.fromkeys(asked):
        place = Destination(to, run.folder, run.progress, strict=True)
        follower = Follower(run, place)
        follower.catch_up()
        follower.end("success" if run.result(Verified) else "aborted")
        written[to] = place.writer.written if place.writer else 0
    return written
