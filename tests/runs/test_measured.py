"""Costs are asked once, kept, and learned from only if they can be relied on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.cost import Effort
from surgenas.core.errors import UsageError
from surgenas.runs.measured import (
    TOGETHER,
    fitted_predictor,
    measure,
    price,
    read_candidates,
    recorded_scale,
    samples,
    scaled_target,
    usable_predictors,
)
from tests.runs.written import CountingDevice, again, new_run, timed


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setattr(CountingDevice, "asked", [])
    return CountingDevice.asked


def networks(run, n):
    return moves.sample_many(run.space, n, np.random.default_rng(0))


def test_a_cost_is_asked_of_the_target_once_for_a_step_and_a_turn(tmp_path, asked):
    run = new_run(tmp_path / "run", device="tests.runs.written:CountingDevice")
    archs = networks(run, 3)
    first = measure(run, "profile", archs)
    assert measure(again(run), "profile", archs) == first
    assert [len(keys) for keys in asked] == [3]
    measure(run, "profile", [*archs, *networks(run, 5)[3:]])
    measure(run, "profile", archs, turn=1)
    measure(run, "derive", archs)
    assert [len(keys) for keys in asked] == [3, 2, 3, 3]


def test_a_network_that_is_given_twice_is_recorded_once(tmp_path):
    run = new_run(tmp_path / "run")
    (arch,) = networks(run, 1)
    one, other = measure(run, "profile", [arch, arch])
    assert one == other
    assert len(run.journal.all("measured")) == 1


def test_what_was_measured_before_a_kill_is_on_disk(tmp_path, asked, monkeypatch):
    monkeypatch.setattr(CountingDevice, "fatal", 2)
    run = new_run(tmp_path / "run", device="tests.runs.written:CountingDevice")
    archs = networks(run, TOGETHER + 3)
    with pytest.raises(KeyboardInterrupt):
        measure(run, "profile", archs)
    assert len(again(run).journal.all("measured")) == TOGETHER
    assert [cost.key for cost in measure(again(run), "profile", archs)] == [*asked[0], *asked[1]]
    assert asked[2] == asked[1], "only what is missing is asked for again"


def test_a_failure_stands_in_its_place_and_is_not_kept(tmp_path):
    run = new_run(tmp_path / "run", device="tests.runs.written:SnobbishDevice")
    good = moves.uniform_architecture(run.space, "k3e3")
    bad = moves.uniform_architecture(type(run.space)(layout="small", resolution=16, classes=10, width=0.5), "k3e3")
    first, second = price(run, "yardstick", [bad, good])
    assert str(first.error) == "not that width"
    assert second.ms > 0
    with pytest.raises(UsageError, match="not that width"):
        measure(run, "yardstick", [good, bad])
    assert len(run.journal.all("measured")) == 1


def test_noisy_costs_never_count_and_of_several_the_median_does(tmp_path):
    run = new_run(tmp_path / "run")
    (arch,) = networks(run, 1)
    for ms, grade in ((1.0, "A"), (3.0, "C"), (9.0, "B"), (99.0, "D")):
        run.journal.append(
            "measured", step="profile", turn=0, key="k", genes=list(arch.genes), cost=timed(ms, grade=grade).to_dict()
        )
    archs, latency_ms = samples(run)
    assert archs == [arch]
    assert latency_ms.tolist() == [3.0]


def test_what_a_turn_proposes_does_not_hang_on_how_much_of_it_was_measured(profiled, copied):
    run = copied(profiled)
    before = samples(run)[1]
    (arch,) = networks(run, 1)
    event = {"step": "derive", "turn": 0, "key": "new", "genes": list(arch.genes), "cost": timed(1000.0).to_dict()}
    run.journal.append("measured", **event)
    assert read_candidates(run) == []
    assert np.array_equal(samples(run)[1], before)
    run.journal.append("missed", turn=0)
    assert len(read_candidates(run)) == 1
    assert samples(run)[1].max() == 1000.0, "it counts in the next turn"
    assert np.array_equal(samples(run, corrected=False)[1], before)


def test_the_predictor_is_a_function_of_the_journal(profiled, copied):
    run = copied(profiled)
    code = moves.encode(run.space, networks(run, 8))
    assert np.array_equal(fitted_predictor(run).predict(code), fitted_predictor(again(run)).predict(code))
    exact = [cost.ms for cost in measure(run, "elsewhere", networks(run, 8))]
    assert np.abs(fitted_predictor(run).predict(code) / exact - 1).mean() < 0.1


def test_the_scale_is_fixed_once_and_an_estimate_has_none(tmp_path, profiled, copied):
    assert recorded_scale(copied(profiled)) == ("toy-reference", 1.0)
    run = new_run(tmp_path / "paper", device="tests.runs.written:PickyDevice")
    assert recorded_scale(run) is None
    assert scaled_target(run) is run.target


def test_a_quick_cost_and_a_sure_one_differ_in_how_they_are_asked(tmp_path):
    run = new_run(tmp_path / "run", device="tests.runs.written:BusyDevice")
    archs = networks(run, 1)
    quick, sure = measure(run, "a", archs), measure(run, "b", archs, Effort.PATIENT)
    assert (quick[0].grade, sure[0].grade) == ("D", "A")
    assert replace(quick[0], grade="A") == sure[0]


def test_where_costs_multiply_no_predictor_that_adds_up_layers_is_used(tmp_path):
    how = {"space": "elastic", "space_settings": {"network": "test_resnet"}}
    assert usable_predictors(new_run(tmp_path / "run", method="surgenas", **how)) == ["process", "mlp"]
    with pytest.raises(UsageError, match="surgenas, set as it is, can use none of flops, gnn; leave `predictors` out"):
        usable_predictors(new_run(tmp_path / "sums", method="surgenas", predictors=("flops", "gnn"), **how))
    with pytest.raises(UsageError, match="single-path needs latencies that add up over layers; in space 'elastic' sev"):
        usable_predictors(
            new_run(tmp_path / "single", method="single-path", method_settings={"runtime": "paper"}, **how)
        )


def test_the_predictor_is_chosen_among_those_that_the_method_can_use(tmp_path):
    how = {"method": "single-path", "method_settings": {"runtime": "paper"}}
    assert usable_predictors(new_run(tmp_path / "run", **how)) == ["ridge", "lookup", "flops"]
    with pytest.raises(UsageError, match="can use none of process, gnn"):
        usable_predictors(new_run(tmp_path / "none", predictors=("process", "gnn"), **how))
    any_will_do = new_run(tmp_path / "any", method="random", predictors=("process", "boosting"))
    assert usable_predictors(any_will_do) == ["process", "boosting"], "no gradient passes through candidates"
    with pytest.raises(UsageError, match="unknown predictor 'oracle'"):
        usable_predictors(new_run(tmp_path / "unknown", predictors=("oracle",)))
