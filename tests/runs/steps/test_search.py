"""Everything that the method asks for, and how far that was."""

from __future__ import annotations

from surgenas.runs.results import Searched
from surgenas.runs.steps.search import search
from tests.runs.written import again


def test_candidates_are_counted(profiled, copied):
    run = copied(profiled)
    assert search(run) == Searched(4)
    assert search(again(run)) == Searched(4)
    assert len(run.journal.all("trial")) == 4
    assert not run.journal.all("epoch")


def test_epochs_of_shared_weights_are_counted(finished, copied):
    run = copied(finished.run)
    assert run.result(Searched) == Searched(2)
    assert search(run) == Searched(2), "nothing is trained again"
    assert [e["summary"]["epoch"] for e in run.journal.all("epoch")] == [0, 1]
