"""One measuring process per machine (measurement protocol, point 1); the lock dies with its holder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from surgenas.core.progress import Progress
from surgenas.hardware.timed.store import default_folder


@contextmanager
def measuring_alone(host: str, progress: Progress) -> Iterator[None]:
    """host: its fingerprint. Waits, saying so, while another process measures there."""
    name = hashlib.sha256(host.encode()).hexdigest()[:12]
    lock = FileLock(default_folder() / f"measuring-{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.log("another process is measuring on this device; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
