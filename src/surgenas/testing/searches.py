"""Contract check of searches."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Floats
from surgenas.core.work import Epochs, Judge, Price, Work
from surgenas.methods.base import Method, Problem, Search


def check_search(method: Method, problem: Problem, engine: Any, *, most: int = 10_000) -> list[Work]:
    """Check that a search asks for what its method needs, judges feasible networks, each once, and ends; that it
    proposes different networks in the window; and that one that is told the same, or goes on from a saved state, does
    the same. Returns the work. engine: an `engine.base.Engine`. most: pieces of work. Raises AssertionError."""
    space, shares = problem.space, bool(method.needs(problem.space).shares)

    def slowness(archs: Sequence[Architecture]) -> Floats:
        return np.array([float(sum(moves.indices(space, arch))) for arch in archs])  # later options are slower

    def proposed(search: Search) -> tuple[list[Architecture], Architecture]:
        return search.propose(slowness, (0.0, middle), 3, np.random.default_rng(1)), search.largest()

    middle = float(np.median(slowness(moves.sample_many(space, 99, np.random.default_rng(0)))))
    history = _play(whole := method.begin(problem), engine, {}, most)
    work, (archs, largest) = [done for done, _ in history], proposed(whole)
    assert not whole.ask(), f"it ends after {most} pieces of work"
    kinds = {type(done) for done in work}
    if shares:  # some measure what they train
        assert Epochs in kinds <= {Epochs, Price} if problem.priced else kinds == {Epochs}
    elif method.needs(space).searches:
        assert kinds == ({Judge, Price} if problem.priced else {Judge})
    else:
        assert not kinds, "it said that it needs nothing"
    assert problem.priced or not method.needs(space).priced, "it searches for score and cost"
    assert sum(not isinstance(done, Price) for done in work) <= whole.most_events, "more events than it said"
    judged = [done for done in work if isinstance(done, Judge)]
    assert len({(moves.canonical_key(space, done.arch), done.rung) for done in judged}) == len(judged)
    assert all(problem.feasible([done.arch])[0] for done in judged)
    assert len({moves.canonical_key(space, arch) for arch in archs}) == len(archs) <= 3
    assert all(slowness(archs) <= middle)
    for told in {1, len(history) // 2, len(history)}:
        again, known = method.begin(problem), {done.key: result for done, result in history[:told]}
        if shares:
            _play(part := method.begin(problem), engine, known, told)
            again.load_state_dict(copy.deepcopy(part.state_dict()))
        assert [done for done, _ in _play(again, engine, known, most)] == work[told if shares else 0 :]
        assert proposed(again) == (archs, largest)
    return work


def _play(search: Search, engine: Any, known: Mapping[str, Any], most: int) -> list[tuple[Work, Any]]:
    history: list[tuple[Work, Any]] = []
    while len(history) < most and (asked := search.ask()):
        for work in asked:
            result = known[work.key] if work.key in known else engine.perform(work)
            history.append((work, list(result) if isinstance(work, Epochs) else result))
            search.tell(*history[-1])
    return history
