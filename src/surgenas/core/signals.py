"""What if Ctrl-C comes in the middle of something that cannot be left half done?"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEARD = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside the block, requests to stop wait for its end, and whoever else sets a handler of ended children or of
    these loses it again. Outside of a process's main thread, where no handler runs, it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (*HEARD, signal.SIGCHLD)}
    for number in HEARD:
        if callable(before[number]):
            signal.signal(number, lambda heard, frame: came.append(heard))
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # else it is none of Python's
                signal.signal(number, handler)
    for heard in came:
        signal.raise_signal(heard)
