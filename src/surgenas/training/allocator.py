"""Does a training get its memory from the system anew in each step? With glibc's defaults it does: a tensor larger than
32 MB is given back when it is freed, and filling fresh pages takes a quarter of a step on a CPU (docs/log.md)."""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt."""
KEPT, LARGEST = 2**30, 2**28
"""Bytes that are kept when they are freed, and the largest tensor that is kept."""


def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed tensors for the next ones; whether it does.

    It does nothing where the C library is not glibc, and where the environment says how memory is managed.
    """
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")) for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST)) and bool(mallopt(M_TRIM_THRESHOLD, KEPT))
