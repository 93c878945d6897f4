"""Which networks was a target asked about: each once for a purpose, with the surest answer."""

from __future__ import annotations

from surgenas.runs.asked import BESIDE, CANDIDATES, LEARNED, Asked, asked_networks, search_prices
from tests.runs.written import estimated, new_run, timed


def note(run, step, cost, turn=0):
    run.journal.append("measured", step=step, turn=turn, key=cost.key, genes=["k3e3", 5], cost=cost.to_dict())


def test_each_network_once_for_a_purpose_and_the_surest_answer_counts(tmp_path):
    run = new_run(tmp_path / "run")
    note(run, "profile", timed(1.0, "a"))
    note(run, "profile-again", timed(1.1, "a"), turn=1)
    note(run, "derive", timed(2.0, "b"))
    note(run, "yardstick", timed(3.0, "b"))
    note(run, "verify", timed(4.0, "b"))
    assert asked_networks(run) == (
        Asked(LEARNED, "k3e3-5", 1.0, 0.01),
        Asked(CANDIDATES, "k3e3-5", 2.0, 0.01),
        Asked(BESIDE, "k3e3-5", 3.0, 0.01),
    )


def test_what_the_search_asked_for_is_a_candidate_and_estimates_have_no_doubt(tmp_path):
    run = new_run(tmp_path / "run")
    run.journal.append("work", key="price/x/learn", result=[estimated(2.0, "x").to_dict()])
    run.journal.append("work", key="judge/x/0", result=0.5)
    (asked,) = asked_networks(run)
    assert (asked.purpose, asked.latency_ms, asked.doubt) == (CANDIDATES, 2.0, None)
    assert [record["key"] for record in search_prices(run)] == ["x"]
