"""Measuring for real, briefly: the device contract, the store, the export, and wrong results refused."""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from surgenas.runs.steps.measured import job_of

from surgenas.core import moves
from surgenas.core.errors import EnvironmentFault, SurgenasError, UsageError
from surgenas.hardware.devices import make_target
from surgenas.hardware.onnx_file import add_metadata, to_onnx
from surgenas.hardware.runtimes.onnxruntime import OnnxRuntime
from surgenas.hardware.timed import link
from surgenas.hardware.timed.conversion import TOLERANCE, check_equal, settle_statistics
from surgenas.hardware.timed.references import REFERENCES, group_by_latency
from surgenas.hardware.timed.store import Store
from surgenas.hardware.timed.timing import Protocol
from surgenas.spaces.mobile import Mobile
from surgenas.testing import check_target, toy_device

SHORT = Protocol(rounds=3, max_rounds=3)


def jobs(small, *operators):
    return [job_of(moves.uniform_architecture(small, operator)) for operator in operators]


def test_the_devices_keep_their_contract(small):
    for device in (make_target("onnxruntime-cpu"), toy_device()):
        check_target(device, jobs(small, "k3e3", "skip"))


def test_equal_networks_are_measured_once_and_found_again(small):
    device = make_target("onnxruntime-cpu")
    twice = jobs(small, "k7e6", "k7e6")
    first, second = device.measure(twice, protocol=SHORT)
    assert first == second
    known = device.store.find(twice[0].key, device.key)
    assert known[-1] == first
    good = replace(first, grade="B")
    device.store.add(good, [])
    reference = (good.reference, 2 * good.reference_ms)
    (reused,) = device.on_scale(reference).measure(twice[:1], protocol=SHORT, reuse=True)
    assert reused.ms == pytest.approx(2 * good.ratio * good.reference_ms), "a ratio moves to the wanted scale"


def test_a_device_that_changed_is_measured_anew(small, tmp_path, listener):
    """Twenty stored latencies, some of them measured again: all three times too long, by a change or by noise."""
    enough = Protocol(rounds=10, max_rounds=10)
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    every = [replace(jobs(small, "skip")[0], key=f"{i}") for i in range(20)]
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


def test_reference_latencies_from_before_a_change_are_passed_over(tmp_path):
    store = Store(tmp_path / "m.sqlite")
    store.add_reference("middle", "here", [1.0, 2.0])
    store.add_change("elsewhere")
    assert store.reference_history("middle", "here") == [2.0, 1.0]
    store.add_change("here")
    store.add_reference("middle", "here", [3.0])
    assert store.reference_history("middle", "here") == [3.0]


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
        device.measure(jobs(small, "skip"), protocol=SHORT)


def test_more_threads_than_cores_are_refused(tmp_path):
    (tmp_path / "many.toml").write_text('runtime = "onnxruntime"\nthreads = 1000')
    with pytest.raises(EnvironmentFault, match="1000 threads"):
        make_target(str(tmp_path / "many.toml"))


def test_a_wrong_result_is_refused():
    right = np.array([[0.5, -2.0]], np.float32)
    assert check_equal(right, right, "x") == 0.0
    for wrong in (right + 0.1, right * np.nan):
        with pytest.raises(SurgenasError, match="something else than PyTorch"):
            check_equal(right, wrong, "x")
    check_equal(right, right + 0.5, "x", TOLERANCE["bf16"])
    with pytest.raises(SurgenasError, match="something else than PyTorch"):
        check_equal(right / 10, right / 10 + 0.5, "x", TOLERANCE["bf16"])


def test_a_fresh_network_is_compared_by_a_signal_that_is_alive(small):
    """Before, all logits were within 1e-8 of their bias, and any two networks were equal."""
    job = jobs(small, "k5e3")[0]
    module = settle_statistics(job.module, job.input_shape)
    with torch.no_grad():
        one, other = module(torch.randn(2, *job.input_shape))
    assert not module.training
    assert (one - other).abs().max() > 10 * TOLERANCE["fp32"]


def test_hidden_duplicates_make_the_noise_floor(small, tmp_path):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    plain = device.measure(jobs(small, "skip"), protocol=SHORT)[0]
    assert plain.floor == 0.0
    reference = (plain.reference, plain.reference_ms)  # one for all, hence one campaign
    twice = replace(SHORT, duplicates=2)
    found = device.on_scale(reference).measure(jobs(small, "skip", "k3e3", "k7e6"), protocol=twice)
    pairs = device.store.pair_history(device.key)
    assert len(pairs) == 2
    assert min(pairs) > 0
    assert all(m.floor == pytest.approx(np.quantile(pairs, 0.95)) for m in found)
    assert [m.key for m in found] == [job.key for job in jobs(small, "skip", "k3e3", "k7e6")]


def test_networks_of_unlike_latency_are_measured_against_references_of_their_own():
    assert group_by_latency({"a": 1.0, "b": 3.9, "c": 4.1, "d": 20.0}) == [["a", "b"], ["c"], ["d"]]
    assert group_by_latency({"b": 2.0, "a": 1.0}) == [["a", "b"]]
    device, large = make_target("onnxruntime-cpu"), Mobile(layout="small", resolution=160, classes=10)
    tiny = Mobile(layout="small", resolution=16, classes=10)
    found = device.measure([*jobs(large, "k7e6"), *jobs(tiny, "skip")], protocol=SHORT)
    assert [m.reference for m in found] == ["reference-l/1", "reference-xs/1"]
    assert found[0].ms > 10 * found[1].ms


def test_export_keeps_the_training_mode_and_carries_its_facts(small):
    network = small.build(moves.uniform_architecture(small, "k3e3")).train()
    model = to_onnx(network, small.input_shape, batch=None)
    assert network.training
    proto = onnx.load_from_string(add_metadata(model, {"classes": ["a", "b"]}))
    onnx.checker.check_model(proto)
    assert json.loads(proto.metadata_props[0].value) == ["a", "b"]
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_unknown_devices_are_named_with_the_known_ones():
    for name in ("tpu", "no.such.module:x", "surgenas.hardware.timed.device:nothing"):
        with pytest.raises(UsageError, match="onnxruntime-cpu"):
            make_target(name)


def test_a_claim_is_the_median_over_campaigns_in_processes_of_their_own(small, tmp_path, monkeypatch):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
    reference, started, start = (REFERENCES[0].name, 1.0), [], subprocess.Popen
    monkeypatch.setattr(link.subprocess, "Popen", lambda *what, **how: started.append(what) or start(*what, **how))
    claim = replace(SHORT, campaigns=3, fresh=True)
    (m,) = device.on_scale(reference).measure(jobs(small, "skip"), protocol=claim)
    stored = [old.ms for old in device.store.find(m.key, device.key)]
    assert len(started) == 3
    assert sorted(m.campaigns_ms) == sorted(stored)
    assert m.ms == statistics.median(stored)
    assert m.rounds == 9


def test_the_store_keeps_raw_runs(small, tmp_path):
    device = replace(make_target("onnxruntime-cpu"), store=Store(tmp_path / "m.sqlite"))
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
