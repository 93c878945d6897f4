"""How does a name become an object? A room lists "name -> module:Object"; "package.module:Object" works as well."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from surgenas.core.errors import SurgenasError, UsageError


def look_up(kind: str, name: str, entries: Mapping[str, str]) -> Any:
    """The object that a catalogued name or a "package.module:Object" path stands for, imported when it is asked for.

    kind: what the object is, for messages ("space", "device"). Raises UsageError if there is no such object.
    """
    path = entries.get(name, name)
    module, colon, attribute = path.partition(":")
    known = ", ".join(sorted(entries))
    if not colon:
        raise UsageError(f"unknown {kind} {name!r}; one of {known}, or a path like package.module:Object")
    try:
        return getattr(importlib.import_module(module), attribute)
    except SurgenasError:
        raise
    except (Exception, SystemExit) as error:  # the module may be the user's: whatever its import does is an answer
        why = (
            str(error)
            if isinstance(error, ImportError | AttributeError | ValueError)
            else f"{type(error).__name__}: {error}"
        )
        if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
            why += f" (PYTHONPATH=FOLDER before the command says where {module} is)"
        raise UsageError(f"{kind} {name!r} cannot be loaded: {why}; one of {known}") from error


def make(kind: str, name: str, entries: Mapping[str, str], /, *arguments: Any, **keywords: Any) -> Any:
    """What is looked up, called with these arguments.

    Raises UsageError as `look_up`, and if an object that is not catalogued cannot be called or fails.
    """
    found = look_up(kind, name, entries)
    try:
        return found(*arguments, **keywords)
    except SurgenasError:
        raise
    except Exception as error:
        if name in entries:
            raise  # a fault of this package
        raise UsageError(f"{kind} {name!r} cannot be made: {type(error).__name__}: {error}") from error
