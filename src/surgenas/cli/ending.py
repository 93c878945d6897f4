"""How does a command end? Errors, Ctrl-C and SIGTERM become one line that says what to do, and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import typer

from surgenas.core.errors import SurgenasError, UsageError


def end_well(app: typer.Typer) -> None:
    """Run a command line; every error that a user can cause becomes one line on standard error and its exit code."""
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a shell's background job ignores Ctrl-C
        signal.signal(signal.SIGINT, _stop)
    try:
        if not _only_helps():
            app(standalone_mode=False)
    except SurgenasError as error:
        _fail(str(error), error.exit_code)
    except _Stopped as stopped:
        again = "what was finished is kept: `surgenas resume <run folder>` goes on with a search, else ask again"
        _fail(f"{stopped.args[0].name}: interrupted; {again}", 128 + stopped.args[0])
    except typer.exceptions.TyperException as error:
        said = getattr(error, "format_message", error.__str__)()
        if type(error).__name__ == "NoArgsIsHelpError":  # it says all that the command can do
            print(said, file=sys.stderr)  # noqa: T201
            raise SystemExit(UsageError.exit_code) from None
        _fail(said.replace("Value error, ", ""), UsageError.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}", 3)
    finally:  # a signal during the interpreter's exit would print a traceback
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if signal.getsignal(signal.SIGINT) is _stop:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _only_helps() -> bool:
    """Whether torchrun started this process as one that helps another, and it has done so."""
    if "RANK" not in os.environ:
        return False
    from surgenas.training.members import take_part

    return take_part()


class _Stopped(BaseException):
    """Raised when a signal asks the program to stop. It is no Exception, so that nobody handles it as an error."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped(signal.Signals(number))


def _fail(message: str, code: int) -> None:
    print(f"surgenas: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    raise SystemExit(code)
