"""From a search to one network whose cost lies inside the limit: measured, confirmed, or honestly refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from surgenas.core.errors import LimitError
from surgenas.core.progress import Progress
from surgenas.runs.flow import fit_predictor, measure_profile, prepare
from surgenas.runs.measured import allowed, measure, samples
from surgenas.runs.results import Reached
from surgenas.runs.run import Run
from surgenas.runs.steps.derive import HIGH, LOW, ROUNDS, derive
from surgenas.runs.steps.search import search
from tests.runs.written import TINY, FickleDevice, again, new_run


@pytest.fixture(scope="module")
def searched(profiled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched") / "run"
    shutil.copytree(profiled, folder)
    run = Run.open(folder, Progress())
    run.record("search", search(run))
    return folder


def judged_inside(run):
    """The networks that were judged and measure inside the limit, the best score first."""
    trials = sorted(run.journal.all("trial"), key=lambda trial: -trial["score"])
    archs = [run.architecture(trial["genes"]) for trial in trials]
    costs = measure(run, "check", archs)
    return [arch for arch, cost in zip(archs, costs, strict=True) if cost.ms <= HIGH * run.reached.limit_ms]


def test_the_found_network_is_the_best_that_was_judged_inside_however_small(searched, copied):
    run = copied(searched)
    found = derive(run)
    assert found.cost.ms <= run.reached.limit_ms
    assert found.rounds == 1
    assert found.architecture == judged_inside(run)[0]
    assert found.predicted_ms == pytest.approx(found.cost.ms, rel=0.15)
    assert not run.journal.all("missed")


def test_of_shared_weights_the_found_network_uses_the_limit(finished):
    run = Run.open(finished.run, Progress())
    found, limit_ms = run.derived, run.reached.limit_ms
    assert found.rounds <= ROUNDS
    assert found.cost.ms <= limit_ms
    assert found.rounds == ROUNDS or LOW * limit_ms <= found.cost.ms


def test_a_further_limit_holds_for_what_is_found_however_much_time_is_left(tmp_path, images):
    """The slowest half of the networks moves too many bytes: a limit on the latency alone would take one of these."""
    (tmp_path / "paper.toml").write_text('estimator = "roofline"\npeak_gmacs = 1000.0\nbandwidth_gbs = 1.0\n')
    how = {**TINY, "data": images, "method": "random", "method_settings": {"trials": 6}, "train_epochs": 1}
    how |= {"device": str(tmp_path / "paper.toml"), "latency_ms": 50.0, "limits": {"bytes": "280KB"}}
    run = new_run(tmp_path / "run", **how)
    prepare(run)
    measure_profile(run)
    fit_predictor(run)
    keep = allowed(run)
    archs, values = samples(run, unit="bytes")
    assert 0 < np.mean(values <= 280 * 1024) < 1
    assert np.mean(keep(archs) == (values <= 280 * 1024)) > 0.9
    run.record("search", search(run))
    assert derive(run).cost.values["bytes"] <= 280 * 1024


def test_interrupted_and_asked_again_it_derives_the_same(searched, copied, tmp_path):
    run = copied(searched)
    found = derive(run)
    lines = run.journal.path.read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if '"step": "derive"' in line and '"measured"' in line)
    run.journal.path.write_text("".join(lines[: first + 1]))
    assert derive(again(run)) == found


def test_a_limit_above_everything_takes_what_was_judged_whatever_it_costs(profiled, copied):
    run = copied(profiled)
    run.record("reach", Reached(run.reached.low_ms, run.reached.high_ms, 50.0))
    found = derive(run)
    judged = [run.architecture(e["genes"]) for e in run.journal.all("trial")]
    assert len(judged) == 4
    assert found.rounds == 1
    assert found.architecture == judged_inside(run)[0]


def test_what_a_noisy_host_spoils_can_be_resumed(searched, copied, monkeypatch):
    """As long as the host is noisy, a second measurement is three times as long: nothing fits twice."""
    run = copied(searched)
    config = run.folder / "config.json"
    record = json.loads(config.read_text())
    record["config"]["target"]["name"] = "tests.runs.written:FickleDevice"
    config.write_text(json.dumps(record))
    run = again(run)
    with pytest.raises(LimitError, match=r"nothing confirmed inside .* in 4 rounds; nearest .*surgenas resume"):
        derive(run)
    searched_so_far = len(run.journal.all("trial"))
    assert searched_so_far == 4 + 2, "two extra rounds, a quarter of four candidates each"
    monkeypatch.setattr(FickleDevice, "busy", False)
    run = again(run)
    found = derive(run)
    assert found.rounds > ROUNDS
    assert found.cost.ms <= run.reached.limit_ms
