"""The front holds the candidates than which none is both better and faster, with what was counted of them."""

from __future__ import annotations

import numpy as np

from surgenas.core import moves
from surgenas.runs.front import trade_offs
from tests.runs.written import estimated, new_run


def tried(run, *candidates):
    """A run whose search judged candidates of these (score, ms); what has no ms was not priced."""
    archs = moves.sample_many(run.space, len(candidates), np.random.default_rng(0))
    for i, (arch, (score, ms)) in enumerate(zip(archs, candidates, strict=True)):
        if ms is not None:
            cost = estimated(ms, str(i)).to_dict()
            run.journal.append("work", key=f"price/{i}/learn", result=[cost])
        run.journal.append("work", key=f"judge/{i}/0", result=score)
        run.journal.append("trial", key=str(i), rung=0, genes=list(arch.genes), score=score, latency_ms=ms)
    return [str(arch) for arch in archs]


def test_slower_ones_that_are_no_better_are_left_out(tmp_path):
    run = new_run(tmp_path / "run")
    names = tried(run, (0.5, 2.0), (0.4, 3.0), (0.7, 4.0), (0.5, 2.5), (0.3, 1.0), (0.7, 5.0), (0.6, 2.0))
    found = trade_offs(run)
    assert [(one.score, one.latency_ms) for one in found] == [(0.3, 1.0), (0.6, 2.0), (0.7, 4.0)]
    assert [one.architecture for one in found] == [names[4], names[6], names[2]]
    assert [one.counted for one in found] == [{"cycles": 1e5}, {"cycles": 2e5}, {"cycles": 4e5}]


def test_without_costs_there_is_no_front(tmp_path):
    run = new_run(tmp_path / "run")
    tried(run, (0.5, None), (0.6, None))
    assert trade_offs(run) == ()
