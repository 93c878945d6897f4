"""On recorded latencies a run decides the same each time: the limit, what is profiled, which operators, and the end."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from surgenas import api
from surgenas.core.progress import Progress
from surgenas.runs.flow import execute
from surgenas.runs.run import Run
from surgenas.runs.steps.operators import choose_operators

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SETTINGS = {
    "device": "replay_device:recorded", "resolution": 16, "samples": 16, "epochs": 2, "train_epochs": 1, "batch": 256,
    "predictors": ("ridge", "flops"), "accelerator": "cpu",
}  # fmt: skip
FAST = {"population": 4, "generations": 1, "mutations": 2, "crossovers": 2}
METHODS = {"surgenas": {}, "single-path": {"warmup": 0.5}, "spos": FAST, "hurricane": {**FAST, "keep": 3}}

PROFILES = [
    ("surgenas", 0.0291, "37105c90b8f7"),
    ("single-path", 0.0271, "e4265452de85"),
    ("spos", 0.0553, "3ed88f80be09"),
    ("hurricane", 0.04, "f94b05e34343"),
]
"""The limit in ms, and a digest of the keys of the networks that are measured, in their order."""


@pytest.fixture(autouse=True)
def _recorded(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def end_of(folder: Path) -> dict:
    """Everything of a run but its times."""
    run = Run.open(folder, Progress())
    files = [*sorted(folder.glob("*.safetensors")), folder / "model.onnx", folder / "architecture.json"]
    return {
        "epochs": [json.dumps(e["summary"]) for e in run.journal.all("epoch")],
        "trained": [(e["network"], e["epoch"], e["loss"]) for e in run.journal.all("trained")],
        **{file.name: file.read_bytes() for file in files},
    }


def digest(keys: list[str]) -> str:
    return hashlib.sha256(" ".join(keys).encode()).hexdigest()[:12]


@pytest.mark.parametrize(("method", "limit_ms", "profiled"), PROFILES)
def test_a_profile_has_the_recorded_limit_and_networks(method, limit_ms, profiled, tmp_path):
    api.profile(out=tmp_path, method=method, method_settings=METHODS[method], **SETTINGS)
    run = Run.open(tmp_path, Progress())
    assert run.reached.limit_ms == pytest.approx(limit_ms, rel=1e-9)
    keys = [event["cost"]["key"] for event in run.journal.all("measured", step="profile")]
    assert len(set(keys)) == 16
    assert digest(keys) == profiled, keys


def test_the_operators_that_hurricane_chooses_for_the_recorded_device(tmp_path):
    how = {"method": "hurricane", "method_settings": METHODS["hurricane"], **SETTINGS}
    selected = choose_operators(api.create(out=tmp_path, **how))
    assert selected.pool == "mb_k5e6,mb_k3e6,mb_k7e6"


@pytest.mark.slow  # benchmarks/replay.py runs these from two builds
@pytest.mark.parametrize("method", METHODS)
def test_a_second_run_ends_equal(method, tmp_path):
    """With a limit above everything: few candidates are measured."""
    how = {"method": method, "method_settings": METHODS[method], "latency_ms": 1.0, **SETTINGS}
    for name in "ab":
        execute(api.create(out=tmp_path / name, **how))
    one, other = (end_of(tmp_path / name) for name in "ab")
    assert len(one["epochs"]) >= 2
    assert one == other
