"""HAO asks for the cost of each candidate, and finds bits and operators that a planted score prefers."""

from __future__ import annotations

import numpy as np

from surgenas.core.cost import Estimate
from surgenas.core.work import Judge, Price
from surgenas.methods.base import Problem
from surgenas.methods.hao import HAO
from surgenas.spaces.mobile_bits import MobileBits, bits_of

SPACE = MobileBits(resolution=16, classes=10)


def bits_in(arch):
    return sum(bits_of(gene) for gene in arch.genes if gene != "skip")


def searched(trials, seed=0):
    """The history of a search whose score is the share of layers of 4 bits, and whose latency is the sum of bits."""
    search = HAO(trials=trials).begin(Problem(SPACE, 1.0, seed))
    while work := search.ask():
        for one in work:
            if isinstance(one, Price):
                search.tell(one, [Estimate(a.key, "paper", {"ms": float(bits_in(a))}, "paper", "1") for a in one.archs])
            else:
                assert isinstance(one, Judge)
                search.tell(one, float(np.mean([gene.endswith("w4") for gene in one.arch.genes])))
    return search.history


def test_every_candidate_is_priced_by_itself():
    assert HAO().needs(SPACE).priced
    history = searched(12)
    assert len(history) == 12
    assert [trial.latency_ms for trial in history] == [bits_in(trial.arch) for trial in history]


def test_bits_that_score_are_found():
    history = searched(40)
    first, last = (np.mean([trial.score for trial in part]) for part in (history[:10], history[-10:]))
    assert last > first + 0.1
