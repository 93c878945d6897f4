"""On recorded latencies a run decides the same each time: the limit, what is profiled, which operators, and the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from surgenas import api
from surgenas.core.progress import Progress
from surgenas.runs.run import Run

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SETTINGS = {
    "device": "replay_device:recorded", "resolution": 16, "samples": 16, "epochs": 2, "train_epochs": 1, "batch": 256,
    "predictors": ("ridge", "flops"), "accelerator": "cpu",
}  # fmt: skip
FAST = {"population": 4, "generations": 1, "mutations": 2, "crossovers": 2}
METHODS = {"surgenas": {}, "single-path": {"warmup": 0.5}, "spos": FAST, "hurricane": {**FAST, "keep": 3}}


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


@pytest.mark.parametrize("method", METHODS)
def test_a_profile_has_the_same_limit_and_networks(method, tmp_path):
    how = {"method": method, "method_settings": METHODS[method], **SETTINGS}
    api.profile(out=tmp_path / "a", **how)
    run = Run.open(tmp_path / "a", Progress())
    print(method, run.reached.limit_ms, [e["cost"]["key"] for e in run.journal.all("measured", step="profile")])


def test_hurricane_chooses(tmp_path):
    run = api.create(out=tmp_path / "h", method="hurricane", method_settings=METHODS["hurricane"], **SETTINGS)
    from surgenas.runs.steps.operators import choose_operators
    print(choose_operators(run).pool)


@pytest.mark.parametrize("method", METHODS)
def test_a_second_run_ends_equal(method, tmp_path):
    how = {"method": method, "method_settings": METHODS[method], **SETTINGS}
    for name in "ab":
        api.search(out=tmp_path / name, **how)
    assert end_of(tmp_path / "a") == end_of(tmp_path / "b")
