"""A plan for a person: what was planned, in whole seconds."""

from __future__ import annotations

from dataclasses import replace

from surgenas.report.text import plan_text
from surgenas.runs.foreseen import Plan, foresee
from surgenas.runs.results import Planned, Reached

FOUND = foresee(Reached(0.1, 4.0, 2.0), Planned(3, 5, 90.4, 0.0, 30.0, 20.2, 3 * 2**29), 96, 0.5)


def test_a_plan_tells_what_was_reached_and_planned():
    assert (FOUND.limit_ms, FOUND.reachable_ms, FOUND.epochs, FOUND.train_epochs) == (2.0, (0.1, 4.0), 3, 5)
    assert FOUND.seconds == {"profile": 90, "search": 0, "train": 30, "other": 20}
    assert FOUND.total_seconds == 141
    assert Plan.from_json(FOUND.to_json()) == FOUND


def test_a_plan_is_read_line_by_line():
    limit, images, search, time, memory = plan_text(FOUND).splitlines()
    assert images.split(maxsplit=1) == ["images", "96 px, channels x 0.5"]
    assert limit.split(maxsplit=1) == ["limit", "2 ms; networks take 0.1 ms to 4 ms"]
    assert search.split(maxsplit=1) == ["search", "3 epochs, then 5 epochs for each network that is trained"]
    without = plan_text(replace(FOUND, epochs=0)).splitlines()[2]
    assert without.split(maxsplit=1) == ["search", "none, then 5 epochs for each network that is trained"]
    assert time.split(maxsplit=1) == ["time", "about 2.4 min: learning latency 90 s, trainings 30 s, all else 20 s"]
    assert memory.split(maxsplit=1) == ["memory", "1.5 GB"]
