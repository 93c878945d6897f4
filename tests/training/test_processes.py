"""What a process raised, or that it was killed, is said in one line by the process that waits for it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from surgenas.core.errors import DataError, EnvironmentFault
from surgenas.training.processes import launch

TOLD = "\n\n-- Process 1 terminated with the following error:\nTraceback (most recent call last):\n  File ...\n{}\n"


def raising(error: Exception) -> SimpleNamespace:
    def started(rank):
        raise error

    return SimpleNamespace(launch=started)


def test_an_error_of_ours_is_raised_as_it_was():
    told = TOLD.format("surgenas.core.errors.DataError: a.png cannot be read any more; put it back")
    with pytest.raises(DataError, match=r"^a.png cannot be read any more; put it back$"):
        launch(raising(ProcessRaisedException(told, 1, 7)), print)


def test_another_error_stays_what_it_is():
    with pytest.raises(ProcessRaisedException, match="ZeroDivisionError"):
        launch(raising(ProcessRaisedException(TOLD.format("ZeroDivisionError: division by zero"), 1, 7)), print)


def test_a_process_that_was_killed_is_told():
    error = ProcessExitedException("process 1 terminated with signal SIGKILL", 1, 7, -9, "SIGKILL")
    with pytest.raises(EnvironmentFault, match=r"process 1 .* ended by itself \(exit code -9\).*: go on, with fewer"):
        launch(raising(error), print)


def test_what_is_launched_runs():
    seen = []
    launch(SimpleNamespace(launch=lambda rank: rank("fabric")), seen.append)
    assert seen == ["fabric"]
