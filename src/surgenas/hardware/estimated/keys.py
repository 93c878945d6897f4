"""How do the keys of a device file become an estimator? They are the fields of its class, a frozen dataclass.

So an estimator is one class: pydantic checks each key against the field's type, and a Path is relative to the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from surgenas.core.errors import UsageError, complaint
from surgenas.hardware.target import Target


def make_estimator(kind: object, name: str, keys: Mapping[str, Any], folder: Path) -> Target:
    """The target of that class and name, its other fields taken from the keys.

    Raises UsageError naming the key that is missing, unknown or of a wrong value.
    """
    if not isinstance(kind, type) or not is_dataclass(kind):
        raise UsageError(f"the estimator is {kind!r}; expected a dataclass with the methods of a Target")
    known = [field.name for field in fields(kind) if field.init and field.name != "name"]
    if unknown := [key for key in keys if key not in known]:
        raise UsageError(f"{unknown[0]}: extra inputs are not permitted; known keys: estimator, {', '.join(known)}")
    record = json.dumps({**_with_paths(kind, keys, folder), "name": name}, default=str)
    try:
        target = TypeAdapter(kind).validate_json(record, strict=True)
    except ValidationError as error:
        raise UsageError(f"{': '.join(complaint(error))}; known keys: estimator, {', '.join(known)}") from None
    if not isinstance(target, Target):
        raise UsageError(f"the estimator is a {kind.__name__}, which has no `price`; expected a Target")
    return target


def _with_paths(kind: type, keys: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The keys, with those that are paths made relative to the folder in place of the working directory."""
    hints = get_type_hints(kind)
    return {
        key: str(folder / value) if Path in (hints[key], *get_args(hints[key])) and isinstance(value, str) else value
        for key, value in keys.items()
    }
