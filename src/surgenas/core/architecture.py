"""What identifies a network: a frozen value that prints, hashes, and goes to JSON and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import core_schema

from surgenas.core.errors import UsageError, complaint

FORMAT = "surgenas.architecture/1"
SPACE_FORMAT = "surgenas.space/1"
Setting = str | int | float


@dataclass(frozen=True)
class SpaceSpec:
    """A search space's name and settings: enough to build the space again with `spaces.make_space`."""

    name: str
    settings: tuple[tuple[str, Setting], ...] = ()

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Setting]) -> SpaceSpec:
        """Two spaces with the same settings get the same spec, in whatever order the settings come."""
        return cls(name, tuple(sorted(settings.items())))

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in self.settings)})"

    def to_json(self) -> str:
        return json.dumps({"format": SPACE_FORMAT, "name": self.name, "settings": dict(self.settings)}, sort_keys=True)


@dataclass(frozen=True)
class Architecture:
    """One point of a search space: the option (gene) that is taken at each of its choices, in the space's order.

    It is a value without weights: it can be compared, hashed, printed, and written to JSON and back.
    """

    space: SpaceSpec
    genes: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join(self.genes)

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits that are the same for equal architectures in every process and on every machine."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """A dictionary of plain values, as `from_dict` reads it."""
        space = {"name": self.space.name, **dict(self.space.settings)}
        return {"format": FORMAT, "space": space, "genes": list(self.genes)}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_dict(cls, record: object) -> Architecture:
        """The architecture that `to_dict` wrote; raises UsageError naming the field that does not fit."""
        try:
            parsed = _Record.model_validate(record)
        except ValidationError as error:
            raise UsageError(
                f"not an architecture: {': '.join(complaint(error))}; expected what `surgenas search` writes to "
                "architecture.json"
            ) from None
        settings = {key: value for key, value in parsed.space.items() if key != "name"}
        name = parsed.space.get("name")
        if not isinstance(name, str):
            raise UsageError("not an architecture: space.name is missing; expected for example 'mobile'")
        return cls(SpaceSpec.of(name, settings), tuple(parsed.genes))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """As a field of a value that goes to JSON and back."""

        def read(value: object) -> Architecture:
            try:
                return value if isinstance(value, Architecture) else cls.from_dict(value)
            except UsageError as error:
                raise ValueError(str(error)) from error

        return core_schema.no_info_plain_validator_function(
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(cls.to_dict),
        )

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """The architecture that `to_json` wrote; raises UsageError for any other text."""
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:  # a number of too many digits is a bare ValueError
            raise UsageError(f"not an architecture: not JSON ({error})") from None
        return cls.from_dict(record)


def read_architecture(path: str | Path) -> Architecture:
    """Read an architecture from a file, or from the `architecture.json` of a run folder.

    Raises UsageError if the file cannot be read or holds no architecture.
    """
    path = Path(path)
    path = path / "architecture.json" if path.is_dir() else path
    try:
        return Architecture.from_json(path.read_text())
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    except OSError as error:
        if (path.parent / "config.json").is_file():
            known = f"{path.parent} has no network yet (no architecture.json)"
            raise UsageError(f"{known}; `surgenas resume {path.parent}` goes on until it has") from error
        raise UsageError(f"{path}: {error.strerror}; expected an architecture.json of a run") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not an architecture: not text") from error
    except ValueError as error:  # a name that no file can have
        raise UsageError(f"{str(path)!r}: {error}; expected an architecture.json of a run") from error


def read_space(path: str | Path) -> SpaceSpec:
    """Read a space from the file that `surgenas operators` writes.

    Raises UsageError if the file cannot be read or holds no space.
    """
    try:
        record = _SpaceRecord.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a space.json of `surgenas operators`") from error
    except ValidationError as error:
        expected = "what `surgenas operators` writes to space.json"
        raise UsageError(f"{path}: not a space: {': '.join(complaint(error))}; expected {expected}") from None
    return SpaceSpec.of(record.name, record.settings)


class _SpaceRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    format: str = Field(pattern="^surgenas\\.space/1$")
    name: str
    settings: dict[str, str | int | float]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    format: str = Field(pattern="^surgenas\\.architecture/1$")
    space: dict[str, str | int | float]
    genes: list[str] = Field(min_length=1, max_length=1000)
