"""Measuring for real, briefly: efforts, the store, references, campaigns, and images classified."""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch

from surgenas.core import moves
from surgenas.core.cost import Effort, Failure
from surgenas.core.errors import Interrupted, SurgenasError
from surgenas.core.progress import Progress
from surgenas.engine.jobs import job_of
from surgenas.hardware.devices import make_target
from surgenas.hardware.onnx_file import to_onnx
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.hardware.target import Job
from surgenas.hardware.timed import link
from surgenas.hardware.timed.measurement import CROWD, Measurement
from surgenas.hardware.timed.recheck import draw_for_recheck
from surgenas.hardware.timed.references import REFERENCES
from surgenas.hardware.timed.scale import UNKNOWN
from surgenas.hardware.timed.store import Store
from surgenas.hardware.timed.timing import Protocol
from surgenas.nn.statistics import settle_statistics
from surgenas.spaces.mobile import Mobile
from surgenas.testing import brief_device
from surgenas.testing.doubles import brief_int8_device

SHORT = Protocol(rounds=3, max_rounds=3, warmup_s=0.1, block_ms=1.0)
GIVEN = ("reference-s/2", 1.0)
"""A reference and what it is said to take: nothing is looked at beforehand, and all are in one campaign."""


def jobs(small, *operators):
    return [job_of(moves.uniform_architecture(small, operator)) for operator in operators]


def test_equal_networks_are_measured_once_and_found_again(small):
    device = brief_device()
    twice = jobs(small, "k7e6", "k7e6")
    first, second = device.on_scale(GIVEN).measure(twice, protocol=SHORT)
    assert first == second
    known = device.store.find(twice[0].key, device.key)
    assert replace(known[-1], scale_doubt=first.scale_doubt) == first, "the doubt of the scale is the present one"
    good = replace(first, grade="B")
    device.store.add(good, [])
    reference = (good.reference, 2 * good.reference_ms)
    (reused,) = device.on_scale(reference).measure(twice[:1], protocol=SHORT, reuse=True)
    assert reused.ms == pytest.approx(2 * good.ratio * good.reference_ms), "a ratio moves to the wanted scale"


def test_a_device_that_changed_is_measured_anew(small, tmp_path, listener):
    """Twenty stored latencies, some of them measured again: all three times too long, by a change or by noise."""
    enough = Protocol(rounds=10, max_rounds=10, warmup_s=0.05, block_ms=0.5)
    device = replace(brief_device(), store=Store(tmp_path / "m.sqlite"))
    model = to_onnx(settle_statistics(jobs(small, "skip")[0].module, small.input_shape), small.input_shape)
    every = [Job(f"{i}", None, small.input_shape, model=lambda batch: model) for i in range(20)]
    (truth,) = device.measure(every[:1], protocol=enough)
    reference = (truth.reference, truth.reference_ms)

    def reused(factor, half_width):
        device.store.add_change(device.key)
        for job in every:
            device.store.add(
                replace(truth, key=job.key, ratio=factor * truth.ratio, half_width=half_width, grade="B"), []
            )
        listener.said.clear()
        found = device.on_scale(reference).measure(every, protocol=enough, reuse=True, progress=listener)
        return [m.ms for m in found], len(device.store.find("7", device.key))

    ms, records = reused(3.0, 0.01)
    assert "not what it was" in " ".join(listener.said)
    assert np.median(ms) < 2 * truth.ms, "all are measured anew"
    assert records == 1, "what was stored before is passed over"
    ms, _ = reused(3.0, 2.0)
    assert ms == [pytest.approx(3.0 * truth.ms)] * 20, "noise is no change"
    assert listener.said == []


class Failing(OnnxRuntime):
    """A runtime of somebody's own, and a bad one."""

    name = "failing"

    def prepare(self, model, images, threads, precision):
        raise RuntimeError("no kernel for this")


def test_a_runtime_by_its_path_that_fails_is_one_line(small, tmp_path):
    (tmp_path / "mine.toml").write_text(f'runtime = "{__name__}:Failing"')
    device = replace(make_target(str(tmp_path / "mine.toml")), store=Store(tmp_path / "m.sqlite"))
    assert "/failing-" in device.key
    with pytest.raises(SurgenasError, match="no kernel for this"):
        device.on_scale(GIVEN).measure(jobs(small, "skip"), protocol=SHORT)


def test_hidden_duplicates_make_the_noise_floor(small, tmp_path):
    """Unless it was a crowd that measured them, as other tests at the same time make it: then nothing is learned."""
    device = replace(brief_device(), store=Store(tmp_path / "m.sqlite"))
    operators = ("skip", "k3e3", "k7e6")
    (plain,) = device.on_scale(GIVEN).measure(jobs(small, "skip"), protocol=SHORT)
    assert plain.floor == 0.0
    found = device.on_scale(GIVEN).measure(jobs(small, *operators), protocol=replace(SHORT, duplicates=2))
    seen = found[0].context["pairs"]
    assert len(seen) == 2
    assert min(seen) > 0
    learned = seen if found[0].context["crowded"] <= CROWD else ()
    assert sorted(device.store.pair_history(device.key)) == pytest.approx(sorted(learned))
    assert all(m.floor == pytest.approx(np.quantile(learned, 0.95) if learned else 0.0) for m in found)
    assert [m.key for m in found] == [job.key for job in jobs(small, *operators)]


def test_networks_of_unlike_latency_are_measured_against_references_of_their_own():
    device, large = brief_device(), Mobile(layout="small", resolution=160, classes=10)
    tiny = Mobile(layout="small", resolution=16, classes=10)
    found = device.measure([*jobs(large, "k7e6"), *jobs(tiny, "skip")], protocol=SHORT)
    assert [m.reference for m in found] == ["reference-l/1", "reference-xs/1"]
    assert found[0].ms > 10 * found[1].ms


def test_a_claim_is_the_median_over_campaigns_in_processes_of_their_own(small, tmp_path, monkeypatch):
    device = replace(brief_device(), store=Store(tmp_path / "m.sqlite"))
    reference, started, start = (REFERENCES[0].name, 1.0), [], subprocess.Popen
    monkeypatch.setattr(link.subprocess, "Popen", lambda *what, **how: started.append(what) or start(*what, **how))
    claim = replace(SHORT, campaigns=3, fresh=True)
    (m,) = device.on_scale(reference).measure(jobs(small, "skip"), protocol=claim)
    stored = [old.ms for old in device.store.find(m.key, device.key)]
    assert len(started) == 3
    assert sorted(m.campaigns_ms) == sorted(stored)
    assert m.ms == statistics.median(stored)
    assert m.rounds == 9


class Impatient(Progress):
    """Has enough at the question of this number."""

    def __init__(self, last):
        self.left = last

    def check(self):
        self.left -= 1
        if not self.left:
            raise Interrupted("time is up")


@pytest.mark.parametrize(("question", "campaigns"), [(1, 0), (2, 0), (3, 1), (4, 2)])
def test_a_measurement_stops_between_two_campaigns_and_keeps_those_that_are_done(small, tmp_path, question, campaigns):
    """It asks before each network is converted, and before each campaign."""
    claim = replace(SHORT, campaigns=3)
    device = replace(brief_device(), store=Store(tmp_path / "m.sqlite"), protocols=dict.fromkeys(Effort, claim))
    (job,) = jobs(small, "skip")
    with pytest.raises(Interrupted, match="time is up"):
        device.on_scale(GIVEN).price([job], progress=Impatient(question))
    assert len(device.store.find(job.key, device.key)) == campaigns


class Busy:
    """A way to a device that writes down what it is asked and does nothing of it."""

    command = link.HERE

    def __init__(self):
        self.asked = []

    def perform(self, request, progress):
        self.asked.append(request)
        raise SurgenasError("busy")


@pytest.mark.parametrize("effort", Effort)
def test_an_effort_is_a_protocol_for_every_campaign_and_a_network_that_fails_leaves_a_reason(small, effort):
    """Two networks fail together, and then one by one."""
    protocols = {known: replace(SHORT, fresh=True, rounds=n) for n, known in enumerate(Effort, start=1)}
    device = replace(brief_device(), link=Busy(), protocols=protocols).on_scale(GIVEN)
    found = device.price(jobs(small, "skip", "k3e3"), effort)
    assert [(failure.key, str(failure.error)) for failure in found] == [
        (job.key, "busy") for job in jobs(small, "skip", "k3e3")
    ]
    assert [request.protocol for request in device.link.asked] == [protocols[effort]] * 3
    assert [len(request.networks) for request in device.link.asked] == [2, 1, 1]


def test_what_is_stored_is_priced_without_asking_if_it_is_good_enough(small, tmp_path):
    device = replace(brief_device(), store=Store(tmp_path / "m.sqlite"), link=Busy())
    device = replace(device, protocols=dict.fromkeys(Effort, replace(SHORT, fresh=True))).on_scale(GIVEN)
    (job,) = jobs(small, "skip")
    good = Measurement(job.key, device.key, 3.0, 3.0, 0.05, "C", 10, 3.0, None, GIVEN[0], GIVEN[1], 0.0)
    known = replace(good, scale_doubt=UNKNOWN)
    device.store.add(good, [])
    seed = next(seed for seed in range(99) if not draw_for_recheck({job.key: good}, seed))
    assert device.price([job], seed=seed, reuse=True) == [known], "nobody here has looked at the reference"
    assert device.link.asked == []
    device.store.add_change(device.key)
    device.store.add(replace(good, grade="D"), [])
    (failure,) = device.price([job], seed=seed, reuse=True)
    assert isinstance(failure, Failure), "a grade D is measured anew"
    (failure,) = device.price([job], seed=seed)
    assert isinstance(failure, Failure), "nobody asked for what is known"


def test_a_device_says_of_itself_what_its_costs_are_valid_for():
    device = brief_device("onnxruntime-cpu-batch8")
    info = device.describe()
    assert (info.name, info.key, info.evidence) == ("onnxruntime-cpu-batch8", device.key, "measured")
    assert (info.precision, info.threads, info.batch) == ("fp32", 1, 8)
    assert info.runtime == f"onnxruntime {device.runtime.version}"
    assert replace(device, threads=2).key != device.key
    assert device.on_scale(GIVEN).key == device.key, "a scale changes what a millisecond is, not what is measured"


def test_the_store_keeps_raw_runs(small, tmp_path):
    device = replace(brief_device(), store=Store(tmp_path / "m.sqlite"))
    (m,) = device.measure(jobs(small, "skip"), protocol=replace(SHORT, steady=2))
    with sqlite3.connect(tmp_path / "m.sqlite") as db:
        ((raw,),) = db.execute("SELECT raw FROM measurement").fetchall()
        (history,) = db.execute("SELECT COUNT(*) FROM reference").fetchone()
    found = json.loads(raw)
    assert len(found["rounds"]) == 3
    assert m.steady_ms is not None
    assert len(found["steady"]) == 2
    assert all(len(ms) == len(ok) >= 5 for visit in found["rounds"] + found["steady"] for ms, ok in visit)
    assert history > 3


@pytest.mark.slow
def test_images_are_classified_by_the_converted_network(small):
    """Eleven images in batches of eight: the last batch is short."""
    job = job_of(moves.uniform_architecture(small, "k3e3"))
    network = job.module
    job = replace(job, build=lambda: network)
    device = make_target("onnxruntime-cpu-batch8")
    images = np.random.default_rng(0).standard_normal((11, *job.input_shape), dtype=np.float32)
    found = device.logits(job, images)
    with torch.no_grad():
        assert np.allclose(found, network(torch.from_numpy(images)).numpy(), atol=1e-4)
    elsewhere = make_target("pytorch-cpu").logits(job, images)
    assert np.allclose(elsewhere, found, atol=1e-4), "a runtime that never runs in this process"


def test_what_is_handed_on_is_measured_as_it_is(small, monkeypatch):
    """The bytes that are prepared for timing are those of the file, which are not quantized again."""
    seen = []
    prepare = OnnxRuntime.prepare

    def noting(self, model, *how):
        seen.append(model)
        return prepare(self, model, *how)

    monkeypatch.setattr(OnnxRuntime, "prepare", noting)
    job = job_of(moves.uniform_architecture(small, "k3e3"))
    network = job.module
    job = replace(job, build=lambda: network)
    device = brief_int8_device()
    files = device.deliver(job)
    assert list(files) == [".onnx"]
    (m,) = device.measure([replace(job, files=lambda: files)], protocol=SHORT)
    assert files[".onnx"] in seen
    assert m.model_bytes == len(files[".onnx"])
    assert m.key == job.key
