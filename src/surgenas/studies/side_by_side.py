"""Whole runs that train on a Ray cluster, as many at once as it has room for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

from surgenas.core.errors import EnvironmentFault, LimitError, SurgenasError
from surgenas.core.progress import Progress
from surgenas.runs.run import Run
from surgenas.runs.workforce import Workforce
from surgenas.studies.improvement import Place

SAID = "surgenas: "
"""How the command begins the line that says why it failed."""
LOOK_S = 0.5
"""So often the main thread wakes."""


class SideBySide:
    """Does runs, each by a process of its own that is `surgenas resume`, and tells what they say. log_to: as for that.

    Raises the first error that is no LimitError, once all that had begun have ended.
    """

    def __init__(self, progress: Progress, log_to: Sequence[str] = ()) -> None:
        self.progress = progress
        self.more = [word for name in log_to for word in ("--log-to", name)]
        self._begun: list[subprocess.Popen[str]] = []
        self._lock, self._over = threading.Lock(), False

    def __call__(self, places: Sequence[Place]) -> Iterator[LimitError | None]:
        """As `improvement.Do`."""
        folders = [Run.open_or_create(place.folder, place.config, self.progress).folder for place in places]
        with closing(Workforce(places[0].config)) as held:
            assert held.cluster, "who asks for runs side by side has one"
            held.target()  # kept until all are done, so that none waits for a device to be made
            yield from self._all(folders, held.cluster.room(), held.cluster.known_as())

    def _all(self, folders: Sequence[Path], at_once: int, cluster: dict[str, str]) -> list[LimitError | None]:
        with ThreadPoolExecutor(at_once) as pool:
            try:
                begun = [pool.submit(self._resume, folder, cluster) for folder in folders]
                while wait(begun, LOOK_S).not_done:  # a signal that another thread got is heard once this one wakes
                    pass
                ended = [future.result() for future in begun]
            except BaseException:
                self._stop()
                raise
        missed = [error if isinstance(error, LimitError) else None for error in ended]
        for error, limit in zip(ended, missed, strict=True):
            if error and not limit:
                raise error
        return missed

    def _resume(self, folder: Path, cluster: dict[str, str]) -> SurgenasError | None:
        """The error that a run ended with."""
        line = ""
        with self._begin(folder, cluster) as child:
            for line in child.stderr or ():
                if not self._over:  # Ray writes down where a process was when it is told to end
                    self.progress.log(f"{folder.name}: {line.rstrip()}")
        return _error(child.returncode, line.rstrip(), folder)

    def _begin(self, folder: Path, cluster: dict[str, str]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "surgenas", "resume", str(folder), *self.more]
        path = os.pathsep.join(filter(None, sys.path))  # modules of the user's are found there, too
        with self._lock:
            child = subprocess.Popen(
                command, env={**os.environ, **cluster, "PYTHONPATH": path}, text=True, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )  # fmt: skip
            self._begun.append(child)
            if self._over:
                child.terminate()
            return child

    def _stop(self) -> None:
        with self._lock:
            self._over = True
            for child in self._begun:
                child.terminate()


def _error(code: int, last: str, folder: Path) -> SurgenasError | None:
    """What the command's exit code and its last line say."""
    if code == 0:
        return None
    known = {error.exit_code: error for error in SurgenasError.__subclasses__()}
    if last.startswith(SAID) and code in known:
        return known[code](last.removeprefix(SAID))
    why = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
    return EnvironmentFault(f"{folder}: the run {why}, after saying: {last or 'nothing'}; start it again")
