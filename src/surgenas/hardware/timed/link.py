"""The near side: run a campaign in a fresh process, here or behind any command, and survive whatever happens to it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from surgenas.core.errors import SurgenasError
from surgenas.core.progress import Progress
from surgenas.hardware.timed.session import WORKING, Answer, Greeting, Request, answer_of, greeting_of, request_message
from surgenas.hardware.timed.wire import MAX_BLOBS, Message, WireError, read, write

Talk = tuple[Greeting, Answer | None]
HERE = (sys.executable, "-m", "surgenas.hardware.worker")


class DeviceLost(SurgenasError):
    """The device did not answer, however often it was asked."""


class DeviceGone(DeviceLost):
    """It does not even greet any more: quarantined, since every further question would wait for nothing."""


@dataclass(frozen=True)
class Link:
    """command: anything that connects its standard input and output to a worker. One process a campaign.

    hello_s: how long it may take to greet (a login, an import); slack_s: how long, beyond the protocol's own patience,
    it may be silent. pauses_s: before each new try.
    """

    command: tuple[str, ...] = HERE
    hello_s: float = 60.0
    slack_s: float = 120.0
    pauses_s: tuple[float, ...] = (0.5, 2.0)

    def greet(self) -> Greeting:
        """Who is on the far side; raises DeviceLost if nobody is."""
        return self._persist(lambda: self._talk(None, 0.0), Progress())[0]

    def perform(self, request: Request, progress: Progress = Progress()) -> Answer:  # noqa: B008  stateless
        """The answer to a campaign. A try that fails leaves nothing behind; only a whole answer counts.

        Raises DeviceLost, saying what went wrong last, when every try has failed, DeviceGone if there is nobody left to
        try; SurgenasError for a campaign that the far side says cannot be done.
        """
        message, patience_s = request_message(request), request.protocol.patience_s + self.slack_s
        try:
            answer = self._persist(lambda: self._talk(message, patience_s), progress)[1]
        except DeviceLost as error:
            try:
                self._talk(None, 0.0)
            except WireError:
                raise DeviceGone(f"{error}; it does not greet either, nothing more is asked of it") from error
            raise
        assert answer is not None
        return answer

    def _persist(self, talk: Callable[[], Talk], progress: Progress) -> Talk:
        for pause_s in (*self.pauses_s, None):
            try:
                return talk()
            except WireError as error:
                if pause_s is None:
                    raise DeviceLost(f"{self.command[0]}: {error} ({len(self.pauses_s) + 1} tries)") from error
                progress.log(f"{self.command[0]}: {error}; trying again")
                time.sleep(pause_s)
        raise AssertionError("unreachable")

    def _talk(self, message: Message | None, patience_s: float) -> Talk:
        """One process: its greeting, and its answer to the message, if there is one."""
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
                hello = greeting_of(read(process.stdout))
            if message is None:
                return hello, None
            with _deadline(process, patience_s):
                write(process.stdin, message)
            for _ in range(MAX_BLOBS):  # one for each network of a message, and no more
                with _deadline(process, patience_s):
                    said_back = read(process.stdout)
                if said_back.kind != WORKING:
                    return hello, answer_of(said_back)
            raise WireError("the other side is working for ever")
        except (WireError, OSError) as error:
            process.kill()
            process.wait()
            listener.join(1.0)
            raise WireError(_why(error, process.returncode, said)) from error
        finally:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()


class _deadline:  # noqa: N801  reads as a word
    """Kill the process when the time is out: its reader then sees the end of the stream."""

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


def _why(error: Exception, code: int | None, said: Sequence[bytes]) -> str:
    last = next((line.decode(errors="replace").strip() for line in reversed(said) if line.strip()), "")
    died = ""
    if code is not None and code not in (0, -9):  # -9: killed by us
        died = f", killed by signal {-code}" if code < 0 else f", exit status {code}"
    return f"{error}{died}{f'; it said: {last[:200]}' if last else ''}"
