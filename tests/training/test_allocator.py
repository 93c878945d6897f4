"""Freed memory is kept where the C library can, and never against what the environment says."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from surgenas.training import allocator
from surgenas.training.allocator import keep_freed_memory

COUNT = """
import resource, sys
from surgenas.training.allocator import keep_freed_memory
if sys.argv[1] == "kept": assert keep_freed_memory()
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
b"x" * 2**27
before = faults()
for n in (2**27, 2**26, 2**27): b"x" * n
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the page faults of Linux")
def test_what_is_freed_is_filled_again_without_new_pages(monkeypatch):
    def faults(how):
        return int(subprocess.run([sys.executable, "-c", COUNT, how], capture_output=True, check=True).stdout)

    for name in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES", "LD_PRELOAD"):
        monkeypatch.delenv(name, raising=False)
    if not keep_freed_memory():
        pytest.skip("the C library has no mallopt")
    assert faults("kept") < 0.1 * faults("as usual")


def test_what_the_environment_says_stays(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    assert not keep_freed_memory()


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(allocator.os, "environ", {})
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: SimpleNamespace())
    assert not keep_freed_memory()
