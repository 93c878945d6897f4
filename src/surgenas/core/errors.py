"""What can go wrong, each with the exit code a shell sees: the message says expected, got, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class SurgenasError(Exception):
    """A failure that the user can act on; its text is one line and ends up on the terminal as it is."""

    exit_code = 1


class UsageError(SurgenasError):
    """An argument is wrong; the message names the argument, its value, and a valid value."""

    exit_code = 2


class EnvironmentFault(SurgenasError):
    """The machine prevents the work: the disk is full, a permission or an optional package is missing."""

    exit_code = 3


class DataError(SurgenasError):
    """The images cannot be used as they are."""

    exit_code = 4


class LimitError(SurgenasError):
    """The latency limit cannot be met; the message names the nearest network."""

    exit_code = 5


class NoisyError(SurgenasError):
    """The machine is too busy for a reliable measurement (with --strict, grade D raises this)."""

    exit_code = 6


class CorruptError(SurgenasError):
    """A file of a run does not hold what was written to it."""

    exit_code = 7


class Interrupted(SurgenasError):
    """The run was stopped by Ctrl-C, SIGTERM or its time limit, and can be resumed."""

    exit_code = 130


def complaint(error: ValidationError) -> tuple[str, str]:
    """(place, what was expected there) of the first thing that a pydantic schema refused.

    The place is the path of the field, joined by dots, or "the file" where the whole record is wrong.
    """
    first = error.errors()[0]
    what = first["msg"]
    return ".".join(map(str, first["loc"])) or "the file", what[:1].lower() + what[1:]
