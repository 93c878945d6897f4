"""How is a campaign run, or a batch of images classified, on the far side? `python -m surgenas.hardware.worker` answers
one message on standard input and ends.

Arguments are the paths of runtimes that are not catalogued.

It opens no socket and writes no file. Whoever starts it, a subprocess call, ssh, adb shell or docker exec, is the
transport.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO

from surgenas.core.catalog import make
from surgenas.core.cores import usable_cores
from surgenas.core.errors import SurgenasError
from surgenas.hardware import RUNTIMES
from surgenas.hardware.context import host_fingerprint, processor_name
from surgenas.hardware.timed.answering import INQUIRY, answer, logits_message, parse_inquiry
from surgenas.hardware.timed.session import WORKING, answer_message, parse_request, perform
from surgenas.hardware.timed.wire import Message, read, write


def main() -> None:
    """Serve one message on standard input and output."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a runtime prints must not get between our messages
    serve(sys.stdin.buffer, out, sys.argv[1:])


def serve(source: IO[bytes], sink: IO[bytes], others: Sequence[str] = ()) -> None:
    """Greet, read one message, answer it. If the near side goes away meanwhile, the process ends.

    others: as for `greeting`.
    """
    write(sink, greeting(others))
    try:
        message = read(source)
        threading.Thread(target=_end_with, args=(source,), daemon=True).start()
        said = _answer(message, lambda: write(sink, Message(WORKING)))
    except Exception as error:  # noqa: BLE001  whatever happened, the near side must be told
        told = str(error) if isinstance(error, SurgenasError) else f"{type(error).__name__}: {error}"
        said = Message("failed", {"why": told})
    write(sink, said)


def _answer(message: Message, tell: Callable[[], None]) -> Message:
    if message.kind == INQUIRY:
        return logits_message(answer(parse_inquiry(message)))
    return answer_message(perform(parse_request(message), tell))


def greeting(others: Sequence[str] = ()) -> Message:
    """The message that says which machine this is, and which runtimes are installed.

    others: paths "package.module:Class" of runtimes that are not catalogued.
    """
    versions = {}
    for path in (*RUNTIMES, *others):
        with contextlib.suppress(SurgenasError):
            runtime = make("runtime", path, RUNTIMES)
            versions[runtime.name] = runtime.version
    known = {"host": host_fingerprint(), "processor": processor_name(), "runtimes": versions, "cores": usable_cores()}
    return Message("hello", known)


def _end_with(source: IO[bytes]) -> None:
    if not source.read(1):
        os._exit(1)


if __name__ == "__main__":
    main()
