"""A driver's tool that is a script of ours: GPUs come and go as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from surgenas.hardware.context import gpu_name


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """There is no driver, whatever this machine has, until a test says what the driver's tool does.

    What GPU there is, is looked up once in a process: here it is forgotten before and after.
    """
    tool = tmp_path / "tools" / "nvidia-smi"
    tool.parent.mkdir()
    monkeypatch.setenv("PATH", str(tool.parent))

    def does(command: str) -> None:
        tool.write_text(f"#!/bin/sh\n{command}\n")
        tool.chmod(0o755)
        gpu_name.cache_clear()

    gpu_name.cache_clear()
    yield does
    gpu_name.cache_clear()
