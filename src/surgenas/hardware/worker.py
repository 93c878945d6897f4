"""The far side: `python -m surgenas.hardware.worker` answers one campaign on its standard input and ends.

It opens no socket and writes no file. Whoever starts it, a subprocess call, ssh, adb shell or docker exec, is the
transport.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import IO

from surgenas.core.catalog import look_up
from surgenas.core.errors import SurgenasError
from surgenas.hardware import RUNTIMES
from surgenas.hardware.context import host_fingerprint, processor
from surgenas.hardware.timed.session import WORKING, answer_message, perform, request_of
from surgenas.hardware.timed.wire import Message, read, write


def main() -> None:
    """Serve standard input until its end."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a runtime prints must not get between our messages
    serve(sys.stdin.buffer, out)


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Greet, read one message, answer it. If the near side goes away meanwhile, stop measuring for nobody."""
    write(sink, greeting())
    try:
        request = request_of(read(source))
        threading.Thread(target=_end_with, args=(source,), daemon=True).start()
        answer = answer_message(perform(request, lambda: write(sink, Message(WORKING))))
    except Exception as error:  # noqa: BLE001  whatever happened, the near side must be told
        told = str(error) if isinstance(error, SurgenasError) else f"{type(error).__name__}: {error}"
        answer = Message("failed", {"why": told})
    write(sink, answer)


def greeting() -> Message:
    """Who is here, and with which runtimes."""
    versions = {}
    for name in RUNTIMES:
        with contextlib.suppress(SurgenasError):
            versions[name] = look_up("runtime", name, RUNTIMES)().version
    return Message("hello", {"host": host_fingerprint(), "processor": processor(), "runtimes": versions})


def _end_with(source: IO[bytes]) -> None:
    if not source.read(1):
        os._exit(1)


if __name__ == "__main__":
    main()
