"""What others do with the machine while we measure."""

from __future__ import annotations

import os

import psutil
import pytest

from surgenas.hardware.context import crowded_share, processor_seconds, share_used_elsewhere


def test_what_others_used_is_all_that_was_neither_idle_nor_ours(monkeypatch):
    """Two cores for 10 s: 8 s idle, 5 s ours, the other 7 s somebody's."""
    start = processor_seconds()
    times, own = psutil.cpu_times(), psutil.Process().cpu_times()
    later = times._replace(user=times.user + 10, system=times.system + 2, idle=times.idle + 8)
    monkeypatch.setattr(psutil, "cpu_times", lambda: later)
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda _: own._replace(user=own.user + 5))
    assert share_used_elsewhere(start, processor_seconds()) == pytest.approx(7 / 20, abs=0.02)


def test_a_clock_that_did_not_move_and_rounding_are_no_use():
    assert share_used_elsewhere((1.0, 1.0), (1.0, 1.0)) == 0.0
    assert share_used_elsewhere((1.0, 1.0), (2.0, 0.9)) == 0.0


@pytest.mark.parametrize(
    ("cores", "threads", "elsewhere", "share"),
    [(2, 1, 0.5, 0.0), (2, 1, 0.75, 0.5), (2, 2, 0.5, 0.5), (8, 1, 0.5, 0.0), (8, 4, 0.75, 0.5), (1, 1, 0.0, 0.0)],
)
def test_it_is_crowded_once_too_few_cores_are_left(monkeypatch, cores, threads, elsewhere, share):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert crowded_share(elsewhere, threads) == pytest.approx(share)
