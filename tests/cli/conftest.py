"""The command line with a stranger's hands."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from surgenas import cli
from tests.runs.written import architecture_file

Ended = tuple[int, str, str]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Callable[..., Ended]]:
    """Runs a command in tmp_path: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def call(*args: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["surgenas", *map(str, args)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def arch(tmp_path: Path) -> Path:
    """arch.json: ten classes at 16 px."""
    return architecture_file(tmp_path / "arch.json")
