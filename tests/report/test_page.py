"""The report: one file that needs no network, with every name escaped, also of an unfinished run."""

from __future__ import annotations

import json
import re

from surgenas import api
from surgenas.core.progress import Progress
from surgenas.hardware.timed.measurement import Measurement
from surgenas.report.page import write_page
from surgenas.runs.journal import Journal

LATENCY = Measurement("k", "d", 1.0, 1.0, 0.02, "B", 10, 1.2, 1.5, "r", 1.0, 0.0).to_dict()
GENES = ["k3e3"] * 10 + ["skip"]


def make_run(tmp_path):
    """A finished run, written by hand."""
    run = api.create(out=tmp_path / "<b>run", device="surgenas.testing:toy_device", resolution=16, progress=Progress())
    log = run.journal.append
    log("epoch", summary={"epoch": 0, "loss": 2.0, "latency_ms": None, "skips": 3})
    log("trained", network="found", epoch=0, loss=1.0, accuracy=0.5)
    score = {
        "name": "ridge",
        "kendall": 0.9,
        "spearman": 0.9,
        "mape": 0.1,
        "within_5": 0.5,
        "within_10": 0.8,
        "rmse_ms": 0.1,
    }
    held_out = {"predicted_ms": [1.0], "measured_ms": [1.1]}
    layer = {
        "name": "<script>alert(1)</script>",
        "operator": "k3e3",
        "out_shape": [8, 4, 4],
        "macs": 1e6,
        "params": 10,
        "share": 0.5,
    }
    results = {
        "reach": {"low_ms": 0.1, "high_ms": 2.0, "limit_ms": 1.05},
        "predict": {"scores": [score], "ceiling": None, "chosen": "ridge", "why": "because", "held_out": held_out},
        "derive": {"genes": GENES, "predicted_ms": 0.99, "cost": LATENCY, "rounds": 1},
        "train found": {"accuracy": 0.9},
        "train MobileNetV2": {"accuracy": 0.8},
        "export": {"max_difference": 1e-6, "same_class": 1.0},
        "verify": {"costs": {"found": LATENCY, "MobileNetV2": LATENCY}, "layers": [layer]},
    }  # fmt: skip
    for stage, result in results.items():
        log("done", stage=stage, seconds=1.0, result=result)
    return run


def test_the_page_stands_alone_and_escapes_names(tmp_path):
    text = write_page(make_run(tmp_path)).read_text()
    body = text[text.index("<body>") :]
    assert not re.search(r"""<(script|link|img|iframe)[^>]*(src|href)\s*=""", body)
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<b>run" not in text
    for wanted in ("MobileNetV2", "90.00%", "1.05 ms", "inside", "Latency shares"):
        assert wanted in body
    assert body.count("plotly-graph-div") >= 5


def test_decisions_of_superkernels_are_drawn_and_only_theirs(tmp_path):
    run = make_run(tmp_path)
    assert "superkernels" not in write_page(run).read_text()
    decided = {"thresholds": [[0.5, 0.5, 0.5]] * 11, "indicators": [[0.9, 1.0, 0.2]] * 11}
    run.journal.append("epoch", summary={"epoch": 1, "loss": 1.0, "latency_ms": 1.0, "skips": 3, **decided})
    text = write_page(run).read_text()
    assert "Decisions of the superkernels" in text
    assert "layer 11, expansion 6" in text


def test_an_unfinished_run_has_a_page_too(tmp_path):
    run = make_run(tmp_path)
    lines = run.journal.path.read_text().splitlines(keepends=True)
    run.journal.path.write_text("".join(lines[:3]))
    path = api.write_report(run.folder)
    assert "not finished" in path.read_text()
    assert Journal(run.journal.path).last("done", stage="reach") is not None
    json.dumps(Journal(run.journal.path).events)
