"""How does a name become an object? A room lists "name -> module:Object"; "package.module:Object" works as well."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from surgenas.core.errors import UsageError


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
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UsageError(f"{kind} {name!r} cannot be loaded: {error}; one of {known}") from error
