"""What is written past sys.stdout: kept while the block runs, as lines, and heard again after, whatever happens."""

from __future__ import annotations

import os

import pytest

from surgenas.core.native_output import native_output


def test_both_descriptors_are_kept_and_are_themselves_again_after(capfd):
    with native_output() as said:
        os.write(1, b"to one\n\n  to ")
        os.write(2, b"the other\xff")
        assert said() == ["to one", "to the other�"]
        os.write(1, b"\nmore")
        assert said()[-1] == "more"
    assert capfd.readouterr() == ("", "")
    os.write(1, b"heard")
    os.write(2, b"too")
    assert capfd.readouterr() == ("heard", "too")


def test_an_error_within_passes_and_leaves_no_descriptor_open(capfd):
    before = os.listdir("/dev/fd")
    with pytest.raises(ZeroDivisionError), native_output():
        raise ZeroDivisionError
    assert os.listdir("/dev/fd") == before
    os.write(1, b"heard")
    assert capfd.readouterr().out == "heard"
