"""What can go wrong, each with the exit code a shell sees: the message says expected, got, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class SurgenasError(Exception):
    """A failure that the user can act on; its text is one line and ends up on the terminal as it is."""

    exit_code = 1


class UsageError(SurgenasError):
    """A wrong argument: names the argument, the value, and a valid one."""

    exit_code = 2


class EnvironmentFault(SurgenasError):
    """The machine is in the way: disk, permission, a missing extra."""

    exit_code = 3


class DataError(SurgenasError):
    """The images cannot be used as they are."""

    exit_code = 4


class LimitError(SurgenasError):
    """The latency limit cannot be met; the message names the nearest network."""

    exit_code = 5


class NoisyError(SurgenasError):
    """The machine is too busy to measure, and --strict forbids a poor number."""

    exit_code = 6


class CorruptError(SurgenasError):
    """A file of a run does not hold what was written to it."""

    exit_code = 7


class Interrupted(SurgenasError):
    """Stopped by Ctrl-C, SIGTERM or the time limit; resumable."""

    exit_code = 130


def complaint(error: ValidationError) -> tuple[str, str]:
    """The first of a schema's: where, joined by dots ("the file" for all of it), and what it expected."""
    first = error.errors()[0]
    what = first["msg"]
    return ".".join(map(str, first["loc"])) or "the file", what[:1].lower() + what[1:]
