"""Messages arrive whole or not at all, and nothing that is no message is believed."""

from __future__ import annotations

import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surgenas.hardware.timed import wire
from surgenas.hardware.timed.wire import Message, WireError, read, write

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def framed(message):
    stream = io.BytesIO()
    write(stream, message)
    return stream.getvalue()


@given(st.text(), st.dictionaries(st.text(), JSON, max_size=3), st.lists(st.binary(max_size=50), max_size=3))
def test_what_is_written_is_read(kind, values, blobs):
    message = Message(kind, values, tuple(blobs))
    assert read(io.BytesIO(framed(message))) == message


@given(st.data())
def test_a_message_cut_anywhere_is_refused(data):
    whole = framed(Message("x", {"a": 1}, (b"model", b"")))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(WireError, match="ended before its message did"):
        read(io.BytesIO(whole[:cut]))


@given(st.binary(min_size=9, max_size=200))
def test_garbage_is_refused(noise):
    with pytest.raises(WireError):
        read(io.BytesIO(noise))


@given(st.data())
def test_a_flipped_bit_never_ends_in_anything_but_a_message_or_a_wire_error(data):
    whole = bytearray(framed(Message("x", {"a": [1, 2]}, (b"model",))))
    place = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[place // 8] ^= 1 << place % 8
    with contextlib.suppress(WireError):
        assert isinstance(read(io.BytesIO(bytes(whole))), Message)


def test_another_version_and_oversized_parts_are_named():
    prefix = struct.Struct(">4sBI")
    with pytest.raises(WireError, match="version 9"):
        read(io.BytesIO(prefix.pack(b"SNAS", 9, 2) + b"{}"))
    with pytest.raises(WireError, match="at most"):
        read(io.BytesIO(prefix.pack(b"SNAS", wire.VERSION, 2**32 - 1)))
    huge = b'{"kind": "x", "values": {}, "sizes": [99999999999]}'
    with pytest.raises(WireError, match="does not describe"):
        read(io.BytesIO(prefix.pack(b"SNAS", wire.VERSION, len(huge)) + huge))


def test_too_much_is_not_sent(monkeypatch):
    monkeypatch.setattr(wire, "MAX_BLOB", 3)
    with pytest.raises(WireError, match="too large"):
        framed(Message("x", {}, (b"four",)))
