"""Searches and engines talk: everything asked for is done and told, and nothing known is done again."""

from __future__ import annotations

import pytest

from surgenas.core import moves
from surgenas.core.work import Epochs, Judge, Price
from surgenas.engine.base import Remembering, drive
from surgenas.spaces.macro import Macro

ARCHS = list(moves.enumerate_all(Macro()))[:3]


class Counting:
    """Asks for judgements in rounds; its events are what it was told."""

    def __init__(self, *rounds):
        self.rounds, self.told = list(rounds), []

    def ask(self):
        return self.rounds.pop(0) if self.rounds else []

    def tell(self, work, result):
        self.told.append((work, result))
        return [] if isinstance(work, Price) else [result, -result]


class Worker:
    """Notes what it did; its results are numbers in order."""

    def __init__(self, results=None):
        self.done, self.results = [], results

    def expect(self, works):
        pass

    def perform(self, work):
        self.done.append(work)
        return self.results if self.results is not None or work.key == "nothing" else len(self.done)


def test_all_that_is_asked_for_is_done_and_told_in_its_order():
    first, second, third = (Judge(arch) for arch in ARCHS)
    price = Price((ARCHS[0],))
    search, worker = Counting([price, first], [second, third]), Worker()
    events = list(drive(search, worker))
    assert worker.done == [price, first, second, third]
    assert search.told == list(zip(worker.done, (1, 2, 3, 4), strict=True))
    assert events == [(first, 2), (first, -2), (second, 3), (second, -3), (third, 4), (third, -4)]


def test_events_come_before_more_is_done():
    search, worker = Counting([Judge(ARCHS[0])], [Judge(ARCHS[1])]), Worker()
    next(drive(search, worker))
    assert len(worker.done) == 1


def test_a_search_that_asks_for_nothing_has_no_events():
    assert list(drive(Counting(), Worker())) == []


def remembering(worker, kept=(Judge, Price)):
    known = {}
    return known, Remembering(worker, lambda work: known.get(work.key), lambda w, r: known.update({w.key: r}), kept)


def test_nothing_is_done_twice():
    worker = Worker()
    known, engine = remembering(worker)
    again = [engine.perform(work) for work in (Judge(ARCHS[0]), Judge(ARCHS[1]), Judge(ARCHS[0]))]
    assert again == [1, 2, 1]
    assert len(worker.done) == 2
    assert known == {Judge(ARCHS[0]).key: 1, Judge(ARCHS[1]).key: 2}


def test_another_rung_is_other_work():
    worker = Worker()
    _, engine = remembering(worker)
    assert [engine.perform(Judge(ARCHS[0], rung)) for rung in (0, 1)] == [1, 2]


def test_a_result_that_is_0_is_known():
    worker = Worker(results=0.0)
    _, engine = remembering(worker)
    assert [engine.perform(Judge(ARCHS[0])) for _ in range(2)] == [0.0, 0.0]
    assert len(worker.done) == 1


def test_work_of_other_kinds_is_done_each_time_and_never_kept():
    worker = Worker()
    known, engine = remembering(worker, kept=(Judge,))
    for work in (Epochs(0), Epochs(0), Price((ARCHS[0],))):
        engine.perform(work)
    assert len(worker.done) == 3
    assert not known


def test_what_could_not_be_done_is_not_kept():
    class Broken:
        def expect(self, works):
            pass

        def perform(self, work):
            raise RuntimeError("broken")

    known, engine = remembering(Broken())
    with pytest.raises(RuntimeError):
        engine.perform(Judge(ARCHS[0]))
    assert known == {}
