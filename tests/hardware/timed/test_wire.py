"""Messages arrive whole or not at all, and nothing that is no message is believed."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tracemalloc

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


class Counting(io.BytesIO):
    """Remembers how much it was asked for at once."""

    def __init__(self, content):
        super().__init__(content)
        self.asked = []

    def read(self, size=-1):
        self.asked.append(size)
        return super().read(size)


PREFIX = struct.Struct(">4sBI")


def headed(header, claimed=None):
    text = json.dumps(header).encode()
    return PREFIX.pack(b"SNAS", wire.VERSION, len(text) if claimed is None else claimed) + text


def test_another_version_is_named_with_what_to_do():
    with pytest.raises(WireError, match=r"speaks version 9.*install the same surgenas there"):
        read(io.BytesIO(PREFIX.pack(b"SNAS", 9, 2) + b"{}"))


@pytest.mark.parametrize("length", [wire.MAX_HEADER + 1, 2**32 - 1])
def test_a_header_that_claims_too_much_is_refused_before_it_is_read(length):
    stream = Counting(headed({}, claimed=length))
    with pytest.raises(WireError, match=f"header of {length} bytes; at most"):
        read(stream)
    assert stream.asked == [PREFIX.size]


@pytest.mark.parametrize(
    "sizes", [[wire.MAX_BLOB + 1], [99999999999], [-1], [1.0], ["1"], [None], [0] * (wire.MAX_BLOBS + 1), {}, 7, None]
)
def test_sizes_that_are_none_or_beyond_bounds_are_refused_before_a_blob_is_read(sizes):
    whole = headed({"kind": "x", "values": {}, "sizes": sizes})
    stream = Counting(whole + b"blob")
    with pytest.raises(WireError, match="header does not describe it"):
        read(stream)
    assert stream.tell() == len(whole)


def test_a_large_blob_that_never_comes_takes_no_memory_beforehand():
    """As many bytes as are allowed are promised, five come."""
    stream = Counting(headed({"kind": "x", "values": {}, "sizes": [wire.MAX_BLOB] * wire.MAX_BLOBS}) + b"hello")
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="ended before its message did"):
            read(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 22
    assert max(stream.asked) <= 1 << 20


@pytest.mark.parametrize("header", [[], "text", 3, {}, {"kind": 1, "values": {}, "sizes": []},
                                    {"kind": "x", "values": [], "sizes": []}, {"kind": "x", "values": {}}])  # fmt: skip
def test_a_header_that_is_json_but_no_message_is_refused(header):
    with pytest.raises(WireError, match=r"without a readable header|does not describe it"):
        read(io.BytesIO(headed(header)))


@given(st.lists(st.lists(st.binary(max_size=9), max_size=3), min_size=1, max_size=4))
def test_messages_follow_each_other_on_one_stream(several):
    messages = [Message(str(i), {}, tuple(blobs)) for i, blobs in enumerate(several)]
    stream = io.BytesIO(b"".join(map(framed, messages)))
    assert [read(stream) for _ in messages] == messages
    assert stream.read() == b""


class Trickling(io.RawIOBase):
    """A pipe that hands over a byte at a time."""

    def __init__(self, content):
        self.left = list(content)

    def read(self, size=-1):
        return bytes([self.left.pop(0)]) if self.left else b""


def test_a_message_may_come_byte_by_byte():
    message = Message("x", {"a": 1}, (b"model", b""))
    assert read(Trickling(framed(message))) == message


def test_more_parts_or_a_longer_header_than_are_accepted_are_not_sent():
    """Nothing at all is written: half a message would be taken for a broken line."""
    for message in (Message("x", {}, (b"",) * (wire.MAX_BLOBS + 1)), Message("x", {"a": "b" * wire.MAX_HEADER})):
        stream = io.BytesIO()
        with pytest.raises(WireError, match="'x' is too large to send"):
            write(stream, message)
        assert stream.getvalue() == b""


def test_a_part_that_is_too_large_is_not_sent():
    stream = io.BytesIO()
    with pytest.raises(WireError, match="too large"):
        write(stream, Message("x", {}, (b"four",)), largest=3)
    assert stream.getvalue() == b""
    write(stream, Message("x", {}, (b"four",)), largest=4)
