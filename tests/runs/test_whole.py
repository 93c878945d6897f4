"""Runs that begin with weights: what every network begins with, what is refused, and a limit that is met already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import surgenas
from surgenas.core.errors import CorruptError, UsageError
from surgenas.engine.jobs import begun_network
from surgenas.nn.weights import load_weights, read_weights
from surgenas.runs.model_use import read_use
from surgenas.runs.names import FOUND, NARROWER, NOTHING, SMALLER, START
from surgenas.runs.results import Planned, Started
from surgenas.runs.run import Run
from surgenas.runs.scale import RESCALED
from surgenas.runs.whole import found_by, meets_limit_whole, read_whole, whole_weights
from tests.runs.written import again


def test_the_found_network_is_compared_with_what_could_be_picked_instead(adapted):
    summary = adapted.summary
    assert {n.name for n in summary.instead} == {SMALLER, NARROWER, NOTHING}
    assert not summary.yardsticks
    assert all(n.accuracy is not None for n in summary.instead)
    ratios = {n.name: n.to_found.ratio for n in summary.instead}
    assert ratios[NARROWER] == pytest.approx(1, abs=0.25)
    assert ratios[NOTHING] == pytest.approx(1, abs=1e-9), "the same shape; the toy's latency knows no pixels"
    assert summary.started.loaded.fresh == ("fc.weight", "fc.bias"), "the file is for 7 classes"
    assert (adapted.run / "model.onnx").exists()


def test_only_what_is_from_nothing_begins_with_fresh_weights(adapted):
    begun = {path.name for path in adapted.run.glob("start-*.safetensors")}
    assert begun == {"start-model.safetensors", "start-models-narrower.safetensors",
                     "start-models-smaller-images.safetensors"}  # fmt: skip
    run = Run.open(adapted.run, surgenas.core.progress.Progress())
    whole = whole_weights(run)
    arch = run.rivals.architectures[NARROWER]
    expected = begun_network(arch, run.space, whole).state_dict()
    found = read_weights(adapted.run / "start-models-narrower.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_everything_exported_says_how_the_weights_expect_their_images(adapted):
    run = Run.open(adapted.run, surgenas.core.progress.Progress())
    assert run.data.mean == (0.5, 0.5, 0.5), "timm's of test_resnet, not the images' own"
    assert read_use(adapted.run).mean == (0.5, 0.5, 0.5)


def test_the_whole_network_is_read_but_for_its_classifier(adapted, weights):
    run = Run.open(adapted.run, surgenas.core.progress.Progress())
    whole, loaded = read_whole(run)
    assert loaded.source == weights
    assert torch.equal(whole.state_dict()["conv1.0.weight"], read_weights(Path(weights))["conv1.0.weight"])


def test_a_damaged_start_is_one_line(adapted, copied):
    run = copied(adapted.run)
    (run.folder / START).write_bytes(b"x")
    with pytest.raises(CorruptError, match="is damaged"):
        whole_weights(again(run))


def test_weights_of_another_network_are_refused_before_time_is_spent(adapting, tmp_path):
    words = {**adapting, "network": "test_efficientnet"}
    with pytest.raises(UsageError, match="does not hold the weights of test_efficientnet"):
        surgenas.adapt(out=tmp_path / "run", **words)


def test_a_limit_that_the_whole_network_meets_is_only_trained_for(adapted, adapting, tmp_path, listener):
    limit_ms = 1.2 * adapted.summary.reachable_ms[1]
    result = surgenas.adapt(out=tmp_path / "run", progress=listener, **{**adapting, "latency_ms": limit_ms})
    run = Run.open(result.run, listener)
    assert meets_limit_whole(run)
    run.journal.append(RESCALED, factor=1.3, doubt=0.01)
    assert meets_limit_whole(run), "decided once, whatever the scale is found to be later"
    assert result.architecture == run.space.largest()
    assert run.result(Started).epochs == 1
    assert not run.journal.all("epoch"), "nothing was searched"
    assert any("the whole network meets the limit" in line for line in listener.said)
    assert any("; no search, " in line for line in listener.said), "and none is planned"
    planned = run.result(Planned)
    assert planned.profile_s == 0.0
    assert 0.0 < planned.search_s < planned.train_s, "the whole network is made ready"
    assert "11 groups of channels, 1 blocks" in " ".join(listener.said)
    whole = begun_network(result.architecture, run.space, whole_weights(run)).state_dict()
    begun = read_weights(run.folder / "start-model.safetensors")
    assert all(torch.equal(begun[name], whole[name]) for name in whole)
    load_weights(run.folder / "model.safetensors", run.space.build(result.architecture))
    assert run.accuracy(FOUND) is not None


def test_who_found_the_network_is_told_by_what_was_done(adapted, copied):
    run = copied(adapted.run)
    assert found_by(run) == run.config.method.name
    planned = run.result(Planned)
    run.record("plan", replace(planned, epochs=0))
    assert found_by(again(run)) == "drawn", "the limit is below the whole network"
    run.record("profile", None)
    assert found_by(again(run)) == "", "nobody: the whole network met the limit"
