"""The decisions of a run in sentences: each from what the journal holds, none before it was made."""

from __future__ import annotations

from surgenas.nn.loaded import Loaded
from surgenas.report.decided import decisions, section
from surgenas.runs.results import Derived, Reached, Started
from surgenas.runs.story import tell_story
from surgenas.runs.summary import summarize
from tests.runs.written import GENES, new_run, timed, written_run


def said(run):
    return decisions(summarize(run), tell_story(run))


def searched(run, *entropies):
    for i, entropy in enumerate(entropies):
        summary = {"epoch": i, "loss": 1.0, "latency_ms": 2.0, "entropy": entropy}
        run.journal.append("epoch", summary=summary)
    return run


def test_a_run_that_has_just_begun_has_decided_nothing(tmp_path):
    run = new_run(tmp_path / "run")
    assert said(run) == []
    assert section(summarize(run), tell_story(run)) == ""


def test_limit_predictor_search_and_choice_are_told_in_their_order(tmp_path):
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.5})
    run.journal.append("measured", step="profile", turn=0, key="a", genes=["x"], cost=timed(1.0, "a").to_dict())
    limit, predictor, search, found, instead = said(run)
    assert limit == (
        "The limit of 2.5 ms was chosen by the run, since none was asked for; networks of this space take 0.1 ms to "
        "4 ms"
    )
    assert predictor == (
        "Latency was learned from 1 networks, by the predictor ridge, which is off by 11.0% on networks it had not "
        "seen (because)"
    )
    assert search == "The method surgenas searched for 1 epochs"
    assert found.startswith("0 candidates in 1 round were measured; the found network is the one that the search")
    assert "MobileNetV2 (the nearest of its sizes): 50.0% at 1.05 x its latency: the found" in instead
    assert "40.0 points ahead" in instead


def test_a_difference_that_few_images_show_may_be_chance(tmp_path):
    run = written_run(tmp_path / "run", beside={"MobileNetV2": 0.895})
    assert said(run)[-1].endswith("and may be chance")
    run = written_run(tmp_path / "worse", accuracy=0.3, beside={"random at equal latency 1": 0.9})
    assert "60.0 points behind" in said(run)[-1]
    assert not said(run)[-1].endswith("chance")


def test_who_was_trained_as_long_as_all_took_is_what_one_would_pick(tmp_path):
    beside = {"smaller images": 0.7, "smaller images at equal total cost": 0.8, "random 1": 0.85}
    (told,) = [line for line in said(written_run(tmp_path / "run", beside=beside)) if "Without a search" in line]
    assert "smaller images at equal total cost (trained for as long as search and training took): 80.0%" in told


def test_what_misses_the_limit_could_not_be_picked(tmp_path):
    costs = {"found": timed(2.0), "MobileNetV2": timed(3.0), "random at equal latency 1": timed(2.05)}
    beside = {"MobileNetV2": 0.95, "random at equal latency 1": 0.5}
    (told,) = [x for x in said(written_run(tmp_path / "a", beside=beside, costs=costs)) if "Without a search" in x]
    assert "pick random at equal latency 1" in told
    costs = {"found": timed(2.0), "MobileNetV2": timed(3.0)}
    run = written_run(tmp_path / "b", beside={"MobileNetV2": 0.95}, costs=costs)
    assert not [x for x in said(run) if "Without a search" in x]


def test_what_was_not_searched_is_told(tmp_path):
    run = new_run(tmp_path / "run")
    run.record("reach", Reached(0.1, 4.0, 2.5))
    arch = run.space.architecture(GENES)
    run.record("derive", Derived(arch, 1.9, timed(2.0), 1))
    _, searched, found = said(run)
    assert searched == "Nothing was searched: all of the time was left for training"
    assert "the found network is the first one drawn of those that stay inside the limit" in found
    run.record("start", Started(Loaded("weights", 3, ()), "digest", 1))
    assert said(run)[1:] == ["Nothing was searched: the whole network meets the limit"]


def test_it_is_told_how_sure_a_search_was(tmp_path):
    run = searched(new_run(tmp_path / "run"), 1.9, 1.2)
    assert "had 1.90 nats of entropy after the first epoch and 1.20 at the end" in said(run)[0]
    run = searched(new_run(tmp_path / "sure"), 1.9, 0.01)
    assert said(run) == ["The method surgenas searched for 2 epochs; at the end every choice was decided"]


def test_of_candidates_that_were_judged_the_most_accurate_is_taken(tmp_path):
    run = written_run(tmp_path / "run")
    run.journal.append("trial", key="k", rung=0, genes=["k3e3"], score=0.5, latency_ms=1.5)
    assert said(run)[2] == "The method surgenas judged 1 candidates on images held out, the best 50.0%"
    assert "is the most accurate of those" in said(run)[3]


def test_of_a_network_that_was_made_smaller_the_steps_are_told(tmp_path):
    run = new_run(tmp_path / "run")
    for accepted in (True, False, True):
        run.journal.append("epoch", summary={"epoch": 0, "before_ms": 2.0, "accepted": accepted, "latency_ms": 1.0})
    assert said(run) == ["The method surgenas made the whole network smaller in 2 steps, of 3 that it tried"]
