"""How is a campaign run in another process, here or behind any command, surviving whatever happens to it?"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from surgenas.core.errors import SurgenasError
from surgenas.core.progress import Progress
from surgenas.hardware.runtimes import Images
from surgenas.hardware.timed.answering import Inquiry, inquiry_message, parse_logits
from surgenas.hardware.timed.session import (
    WORKING,
    Answer,
    Greeting,
    Request,
    parse_answer,
    parse_greeting,
    request_message,
)
from surgenas.hardware.timed.wire import MAX_BLOBS, Message, WireError, read, write

Said = TypeVar("Said")
INQUIRY_S = 600.0
"""How long a worker may take for one message of images."""
HERE = (sys.executable, "-m", "surgenas.hardware.worker")


class DeviceLost(SurgenasError):
    """The device did not answer, however often it was asked."""


class DeviceGone(DeviceLost):
    """The device does not even greet any more. Nothing more is asked of it, since every question would wait in vain."""


@dataclass(frozen=True)
class Link:
    """The way to a worker, for which one process is started for each campaign.

    command: anything that connects its standard input and output to a worker. hello_s: how long the worker may take to
    greet (a login, an import). slack_s: how long, beyond the patience of the campaign, it may be silent. pauses_s: the
    pause before each new try.
    """

    command: tuple[str, ...] = HERE
    hello_s: float = 60.0
    slack_s: float = 120.0
    pauses_s: tuple[float, ...] = (0.5, 2.0)

    def greet(self) -> Greeting:
        """The greeting of the worker on the far side; raises DeviceLost if none answers."""
        return self._persist(self._greet, Progress())

    def perform(self, request: Request, progress: Progress = Progress()) -> Answer:  # noqa: B008  stateless
        """Have a campaign done, and return the answer. A try that fails leaves nothing behind.

        Raises DeviceLost, saying what went wrong last, if every try has failed, DeviceGone if the worker does not even
        greet any more, SurgenasError if the far side says that the campaign cannot be done.
        """
        message, patience_s = request_message(request), request.protocol.patience_s + self.slack_s
        try:
            return self._persist(lambda: self._talk(message, patience_s, parse_answer), progress)
        except DeviceLost as error:
            try:
                self._greet()
            except WireError:
                raise DeviceGone(f"{error}; it does not greet either, nothing more is asked of it") from error
            raise

    def ask(self, inquiry: Inquiry, progress: Progress = Progress()) -> Images:  # noqa: B008  stateless
        """The logits (N, classes) that are asked for. Raises DeviceLost if every try has failed, SurgenasError if the
        far side says that there are none."""
        message = inquiry_message(inquiry)
        return self._persist(lambda: self._talk(message, INQUIRY_S + self.slack_s, parse_logits), progress)

    def _greet(self) -> Greeting:
        return self._talk(None, 0.0, parse_greeting)

    def _persist(self, talk: Callable[[], Said], progress: Progress) -> Said:
        for pause_s in (*self.pauses_s, None):
            try:
                return talk()
            except WireError as error:
                if pause_s is None:
                    raise DeviceLost(f"{self.command[0]}: {error} ({len(self.pauses_s) + 1} tries)") from error
                progress.log(f"{self.command[0]}: {error}; trying again")
                time.sleep(pause_s)
        raise AssertionError("unreachable")

    def _talk(self, message: Message | None, patience_s: float, parse: Callable[[Message], Said]) -> Said:
        """Start one worker process; returns what its answer to the message says, or its greeting without a message."""
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise WireError(f"cannot be started ({error.strerror})") from error
        said: list[bytes] = []
        listener = threading.Thread(target=_drain, args=(process.stderr, said), daemon=True)
        listener.start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with _deadline(process, self.hello_s):
                parse_greeting(hello := read(process.stdout))
            if message is None:
                return parse(hello)
            with _deadline(process, patience_s):
                write(process.stdin, message)
            for _ in range(MAX_BLOBS):  # one for each network of a message, and no more
                with _deadline(process, patience_s):
                    said_back = read(process.stdout)
                if said_back.kind != WORKING:
                    return parse(said_back)
            raise WireError("the other side is working for ever")
        except (WireError, OSError) as error:
            process.kill()
            process.wait()
            listener.join(1.0)
            raise WireError(_explain(error, process.returncode, said)) from error
        finally:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()


class _deadline:  # noqa: N801  reads as a word
    """Kill a process when its time is out, so that whoever reads from it sees the end of the stream."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.process, self.seconds, self.over = process, seconds, False
        self.timer = threading.Timer(seconds, self._end)

    def __enter__(self) -> None:
        self.timer.start()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.timer.cancel()
        if self.over and isinstance(error, WireError | OSError):
            raise WireError(f"no answer within {self.seconds:g} s") from error

    def _end(self) -> None:
        self.over = True
        self.process.kill()


def _drain(stream: Any, said: list[bytes]) -> None:
    for line in stream:
        said.append(line)
        del said[:-20]
    stream.close()


def _explain(error: Exception, code: int | None, said: Sequence[bytes]) -> str:
    last = next((line.decode(errors="replace").strip() for line in reversed(said) if line.strip()), "")
    died = ""
    if code is not None and code not in (0, -9):  # -9: killed by us
        died = f", killed by signal {-code}" if code < 0 else f", exit status {code}"
    return f"{error}{died}{f'; it said: {last[:200]}' if last else ''}"
