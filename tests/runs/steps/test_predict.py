"""The choice of a predictor, and how far it can be trusted."""

from __future__ import annotations

import pytest

from surgenas.core.errors import NoisyError
from surgenas.runs.measured import measure
from surgenas.runs.sampled import sample_networks
from surgenas.runs.steps.predict import predict
from tests.runs.written import ROOFLINE, again


def test_the_best_on_held_out_networks_is_chosen(profiled, copied):
    run = copied(profiled)
    found = predict(run)
    assert found.scores[0].name == found.chosen == "ridge"
    assert [s.rmse_ms for s in found.scores] == sorted(s.rmse_ms for s in found.scores)
    assert {s.name for s in found.scores} == {"ridge", "flops"}
    assert len(found.held_out.predicted_ms) == len(found.held_out.measured_ms) >= 16
    assert "least RMSE of 2" in found.why


def test_the_noise_ceiling_is_of_networks_that_were_measured_twice(profiled, copied):
    assert predict(copied(profiled)).ceiling.mape == 0.0, "the toy device says the same twice"


def test_too_few_measurements_say_what_to_do(fresh):
    run = fresh(samples=12, predictors=("ridge",), method="random")
    measure(run, "profile", sample_networks(run)[:11])
    with pytest.raises(NoisyError, match="only 11 usable measurements, at least 12 are needed"):
        predict(run)
    measure(run, "profile", sample_networks(run))
    assert predict(run).ceiling is None, "nothing was measured twice"


def test_on_paper_there_is_no_noise_and_no_ceiling(fresh, tmp_path):
    (tmp_path / "paper.toml").write_text(ROOFLINE)
    run = fresh(device=str(tmp_path / "paper.toml"), samples=12, predictors=("flops",), method="random")
    measure(run, "profile", sample_networks(run))
    measure(run, "profile-again", sample_networks(run)[:4], turn=1)
    assert predict(again(run)).ceiling is None
