"""How does one process at a time measure on a machine (docs/measurement.md, 1)? By a lock that dies with its holder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import BaseFileLock, FileLock, Timeout

from surgenas.core.errors import EnvironmentFault
from surgenas.core.progress import Progress
from surgenas.hardware.timed.store import default_folder


@contextmanager
def measuring_lock(host: str, progress: Progress) -> Iterator[None]:
    """Hold the only right to measure on a host, given by its fingerprint.

    While another process measures there, this one says so and waits, as long as whoever listens agrees.
    """
    name = hashlib.sha256(host.encode()).hexdigest()[:12]
    lock = FileLock(default_folder() / f"measuring-{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.log("another process is measuring on this device; waiting for it")
        _wait(lock, progress)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot lock {lock.lock_file}: {error.strerror or error}; set SURGENAS_HOME to a folder that can be "
            "written"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _wait(lock: BaseFileLock, progress: Progress) -> None:
    while True:
        progress.check()
        try:
            lock.acquire(timeout=1.0)
            return
        except Timeout:
            continue
