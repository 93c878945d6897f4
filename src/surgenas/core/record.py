"""Frozen values to JSON and back: what a step found goes to the journal so, and a command's answer to its caller."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from html import escape
from typing import Any, Self, cast

from pydantic import TypeAdapter, ValidationError

from surgenas.core.errors import CorruptError, complaint


class Record:
    """What a frozen dataclass inherits that somebody will want to keep, print, or see in a notebook."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return cast(dict[str, Any], _adapter(type(self)).dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, record: object) -> Self:
        """The inverse; raises CorruptError naming the field that does not fit."""
        try:
            return cast(Self, _adapter(cls).validate_python(record))
        except ValidationError as error:
            raise CorruptError(f"not a {cls.__name__}: {': '.join(complaint(error))}") from None

    def _repr_html_(self) -> str:
        return _html(self.to_json())


@cache
def _adapter_of(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _adapter(kind: Any) -> TypeAdapter[Any]:
    return _adapter_of(kind)


def _html(value: Any) -> str:
    """Tables in tables; rows of alike dictionaries share a head."""
    if isinstance(value, dict):
        rows = "".join(f"<tr><th>{escape(str(key))}<td>{_html(item)}" for key, item in value.items())
        return f"<table>{rows}</table>"
    if isinstance(value, list) and value and all(isinstance(i, dict) and i.keys() == value[0].keys() for i in value):
        head = "".join(f"<th>{escape(str(key))}" for key in value[0])
        rows = "".join("<tr>" + "".join(f"<td>{_html(cell)}" for cell in item.values()) for item in value)
        return f"<table><tr>{head}{rows}</table>"
    if isinstance(value, list):
        return ", ".join(map(_html, value))
    return escape(f"{value:.6g}" if isinstance(value, float) else str(value))
