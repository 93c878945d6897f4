"""How do two processes, or two machines, talk about a measurement? Framed messages over any pair of byte streams.

A frame: 4 bytes of name, 1 of version, 4 of header length, the header as JSON, then the blobs it lists. Every size is
checked before anything is allocated; nothing received is ever executed or unpickled.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from surgenas.core.errors import SurgenasError

VERSION = 4
_PREFIX = struct.Struct(">4sBI")
_NAME = b"SNAS"
MAX_HEADER, MAX_BLOB, MAX_BLOBS = 16 << 20, 1 << 30, 256


class WireError(SurgenasError):
    """The other side broke off, speaks another version, or sent something that is no message."""


@dataclass(frozen=True)
class Message:
    """One message: its kind, its values as JSON has them, and its blobs (models, images)."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    blobs: tuple[bytes, ...] = ()


def write(stream: IO[bytes], message: Message, largest: int = MAX_BLOB) -> None:
    """Send one whole message; raises WireError if it is too large. largest: bytes that a blob may have."""
    sizes = [len(blob) for blob in message.blobs]
    header = json.dumps({"kind": message.kind, "values": message.values, "sizes": sizes}).encode()
    if len(header) > MAX_HEADER or len(sizes) > MAX_BLOBS or max(sizes, default=0) > largest:
        raise WireError(f"message {message.kind!r} is too large to send ({len(header)} + {sum(sizes)} bytes)")
    stream.write(_PREFIX.pack(_NAME, VERSION, len(header)) + header)
    for blob in message.blobs:
        stream.write(blob)
    stream.flush()


def read(stream: IO[bytes]) -> Message:
    """Receive one message; raises WireError for an early end, another version, garbage, or a part that is too large."""
    name, version, length = _PREFIX.unpack(_read_exactly(stream, _PREFIX.size))
    if name != _NAME:
        raise WireError(f"expected a surgenas message, got {name!r}: does the command print something of its own?")
    if version != VERSION:
        raise WireError(f"the other side speaks version {version}, this one {VERSION}; install the same surgenas there")
    if length > MAX_HEADER:
        raise WireError(f"header of {length} bytes; at most {MAX_HEADER} are accepted")
    try:
        header = json.loads(_read_exactly(stream, length))
        kind, values, sizes = header["kind"], header["values"], header["sizes"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError(f"a message without a readable header ({error})") from error
    plain = isinstance(kind, str) and isinstance(values, dict) and isinstance(sizes, list) and len(sizes) <= MAX_BLOBS
    if not plain or not all(isinstance(n, int) and 0 <= n <= MAX_BLOB for n in sizes):
        raise WireError("a message whose header does not describe it")
    return Message(kind, values, tuple(_read_exactly(stream, n) for n in sizes))


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    parts, missing = [], size
    while missing:
        part = stream.read(min(missing, 1 << 20))
        if not part:
            raise WireError("the other side ended before its message did")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
