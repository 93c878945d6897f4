"""How long a search takes, what it sees of the images, and what it remembers."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.errors import UsageError
from surgenas.runs.flow import fit_predictor, measure_profile, prepare
from surgenas.runs.measured import fitted_predictor
from surgenas.runs.results import Planned
from surgenas.runs.searching import CANDIDATE_EPOCHS, LARGEST_MARGIN, Searching, margin_ms
from surgenas.runs.training import recipe
from tests.runs.written import TINY, CountingDevice, Interrupting, again, lines_of, new_run, pictures


def test_hurricane_trains_seven_tenths_of_what_spos_does_by_default(tmp_path):
    epochs = {m: Searching(new_run(tmp_path / m, method=m)).epochs for m in ("spos", "hurricane")}
    assert epochs["hurricane"] / epochs["spos"] == pytest.approx(0.696, abs=0.02)


def test_epochs_are_as_asked_by_the_data_or_by_the_plan_of_a_time_limit(tmp_path):
    assert Searching(new_run(tmp_path / "usual")).epochs == 7
    run = new_run(tmp_path / "asked", epochs=3)
    assert Searching(run).epochs == Searching(run).method.epochs == 3
    run.record("plan", Planned(2, 5, 0.0, 0.0, 0.0, 0.0, 1))
    assert Searching(run).epochs == Searching(run).method.epochs == 2
    assert recipe(run).epochs == 5


def test_a_candidate_gets_a_quarter_of_a_final_training(tmp_path):
    run = new_run(tmp_path / "run", method="random", train_epochs=40)
    assert Searching(run).epochs == CANDIDATE_EPOCHS * 40 == 10
    assert Searching(new_run(tmp_path / "short", method="random", train_epochs=1)).epochs == 1
    assert Searching(new_run(tmp_path / "said", method="random", epochs=4)).epochs == 4


def test_only_trainings_that_go_on_are_kept(tmp_path):
    """What a benchmark trains by the engine of a search, it trains anew each time."""
    assert Searching(new_run(tmp_path / "run", method="random")).engine.store("alone") is None
    assert Searching(new_run(tmp_path / "race", method="race")).engine.store("alone") is not None


def test_candidates_that_go_on_are_trained_no_longer_than_the_found_network(tmp_path):
    def rungs(name, **words):
        return Searching(new_run(tmp_path / name, method="race", train_epochs=8, **words)).rungs

    assert rungs("usual") == (1, 2)
    assert rungs("two", method_settings={"networks": 2}) == (2,)
    assert rungs("all", epochs=8) == (4, 8)
    with pytest.raises(UsageError, match="on to its end after 8 epochs; --epochs 9 is more than that"):
        rungs("more", epochs=9)


@pytest.mark.parametrize(("method", "rungs"), [("race", (1, 2)), ("halving", (1, 4))])
def test_by_default_fidelities_differ_however_short_the_final_training_is(tmp_path, method, rungs):
    assert Searching(new_run(tmp_path / "run", method=method, train_epochs=2)).rungs == rungs


def test_epochs_are_no_setting_of_a_method(tmp_path):
    with pytest.raises(UsageError, match="--epochs"):
        assert Searching(new_run(tmp_path / "run", method_settings={"epochs": 2})).method


def test_images_are_split_once_for_all_steps_and_judged_by_those_aside(tmp_path, images):
    run = new_run(tmp_path / "spos", data=images, method="spos")
    assert Searching(run).engine.images is Searching(run).engine.images is run.images
    assert len(Searching(run).held_out.images) == len(run.images.aside)
    assert not Searching(run).held_out.balanced
    assert Searching(new_run(tmp_path / "even", data=images, method="spos", classes="balanced")).held_out.balanced
    assert Searching(new_run(tmp_path / "random", data=images, method="random")).held_out is None


def test_the_search_aims_below_the_limit_by_what_the_predictor_may_be_off(profiled, copied):
    run = copied(profiled)
    limit_ms = run.reached.limit_ms
    margin = margin_ms(run, fitted_predictor(run), limit_ms)
    assert 0 < margin <= LARGEST_MARGIN * limit_ms
    assert Searching(run).problem(0).limit_ms == pytest.approx(limit_ms - margin)


def test_candidates_are_inside_the_limit_by_the_predictor(profiled, copied):
    run = copied(profiled)
    problem = Searching(run).problem(0)
    predictor = fitted_predictor(run)
    archs = [run.space.architecture(tuple([gene] * 11)) for gene in ("k3e3", "k7e6")]
    expected = predictor.predict(moves.encode(run.space, archs)) <= run.reached.limit_ms
    assert problem.feasible(archs).tolist() == expected.tolist() == [True, False]


@pytest.fixture
def sampled(profiled, copied):
    """A search that samples, ready to begin: four candidates of one epoch."""
    return copied(profiled)


def events(run, *kinds):
    return [e for e in lines_of(run) if e["event"] in kinds]


def test_what_was_judged_is_not_judged_again(sampled):
    first = Searching(sampled).go_on()
    known = events(sampled, "work", "trial")
    assert len(first.history) == len([e for e in known if e["event"] == "trial"]) == 4
    assert [e["key"].split("/")[0] for e in known if e["event"] == "work"] == ["price", "judge"] * 4
    once_more = Searching(again(sampled)).go_on()
    assert once_more.history == first.history
    assert events(sampled, "work", "trial") == known


def test_a_kill_between_the_judgement_and_its_trial_loses_nothing(sampled):
    with pytest.raises(KeyboardInterrupt):
        Searching(again(sampled, Interrupting(2))).go_on()
    lines = sampled.journal.path.read_text().splitlines(keepends=True)
    assert '"trial"' in lines[-1]
    sampled.journal.path.write_text("".join(lines[:-1]))
    before = len(events(sampled, "work"))
    found = Searching(again(sampled)).go_on()
    assert len(found.history) == 4
    assert len(events(sampled, "trial")) == 4
    assert len(events(sampled, "work")) == before + 4, "two candidates, each with its price"
    assert len({e["key"] for e in events(sampled, "work")}) == 8


def test_extra_rounds_ask_for_a_quarter_more_each(sampled):
    assert len(Searching(sampled).go_on().history) == 4
    assert len(Searching(sampled).go_on(extra=2).history) == 6
    assert len(events(sampled, "trial")) == 6


def test_a_trial_knows_the_latency_that_was_measured(sampled):
    found = Searching(sampled).go_on().history
    costs = {c["key"]: c["ms"] for e in events(sampled, "work") if e["key"].startswith("price") for c in e["result"]}
    assert [trial.latency_ms for trial in found] == [costs[trial.key] for trial in found]
    assert [e["latency_ms"] for e in events(sampled, "trial")] == [trial.latency_ms for trial in found]
    assert np.isfinite([trial.score for trial in found]).all()


def test_extra_rounds_of_shared_weights_go_on_from_the_last_epoch(finished, copied):
    """Which is on disk; nothing is trained again."""
    run = copied(finished.run)
    before = run.journal.all("epoch")
    assert [e["summary"]["epoch"] for e in before] == [0, 1]
    Searching(run).go_on(extra=1)
    after = again(run).journal.all("epoch")
    assert after[:2] == before
    assert [e["summary"]["epoch"] for e in after] == [0, 1, 2]
    assert run.checkpoints("search").numbers()[-1] == 3


def test_an_epoch_of_who_judges_is_of_four_fifths_of_the_images(tmp_path):
    run = new_run(tmp_path / "run", method="spos", space="shuffle", batch=256)
    assert len(run.data.train) == 1438
    assert Searching(run).steps_per_epoch == 4, "of 1438 - 288 = 1150 images, as many batches of 256 as are full"


@pytest.fixture(scope="module")
def adapting(tmp_path_factory):
    """A run that shrinks a network and measures each step, ready to begin."""
    folder = tmp_path_factory.mktemp("adapting")
    how = {
        **TINY, "data": str(pictures(folder / "pictures", 80)), "method": "netadapt", "epochs": 1, "space": "elastic",
        "space_settings": {"network": "test_resnet", "widths": 4}, "resolution": 32,
        "predictors": ("process",), "method_settings": {"short_steps": 1, "step": 0.3, "decay": 1.0},
    }  # fmt: skip
    run = new_run(folder / "run", **{**how, "device": "tests.runs.written:CountingDevice"})
    prepare(run)
    measure_profile(run)
    fit_predictor(run)
    return run.folder


def state_of(run):
    return run.checkpoints("search").load()[1]["method"]


def test_a_search_that_measures_its_steps_is_the_same_after_any_kill(adapting, copied, tmp_path, monkeypatch):
    """While something is measured, and after an event; what was measured is not measured again."""
    whole = copied(adapting)
    Searching(whole).go_on()
    kept, state = events(whole, "work", "epoch"), state_of(whole)
    assert [e["key"].split("/")[0] for e in events(whole, "work")] == ["price"] * len(state["path"])
    assert len(state["path"]) >= 3
    shutil.rmtree(tmp_path / "copied")
    run = copied(adapting)
    monkeypatch.setattr(CountingDevice, "asked", [])
    for question in (1, 3):
        monkeypatch.setattr(CountingDevice, "fatal", question)
        with pytest.raises(KeyboardInterrupt):
            Searching(again(run)).go_on()
    with pytest.raises(KeyboardInterrupt):
        Searching(again(run, Interrupting(1))).go_on()
    Searching(again(run)).go_on()
    assert events(run, "work", "epoch") == kept
    assert len(CountingDevice.asked) == len(state["path"]) + 2
    same = state_of(run)
    assert same["path"] == state["path"]
    assert all(torch.equal(tensor, state["supernet"][name]) for name, tensor in same["supernet"].items())
