"""The numbers of a run, read from its journal alone: what --json prints and what the page draws."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from surgenas.hardware.costs import compare, read_cost
from surgenas.runs.run import Run
from surgenas.runs.steps.train import FOUND, REFERENCE

Facts = dict[str, Any]


def facts(run: Run) -> Facts:
    """Everything known so far; what a stage has not found yet is None or empty."""
    reach, derived = run.result("reach") or {}, run.result("derive") or {}
    measured = (run.result("verify") or {}).get("costs", {})
    networks = [_network(run, name, measured) for name in measured or [FOUND]]
    found = networks[0]
    return {
        "run": str(run.folder),
        "architecture": run.architecture(derived["genes"]).to_dict() if derived else None,
        "limit_ms": reach.get("limit_ms"),
        "reachable_ms": [reach.get("low_ms"), reach.get("high_ms")],
        "latency": {**_latency(measured.get(FOUND)), "predicted_ms": derived.get("predicted_ms")},
        "accuracy": {"test": found["accuracy"]},
        "references": [n for n in networks if n["name"] == REFERENCE],
        "random": [n for n in networks if n["name"].startswith("random")],
        "uniform": [n for n in networks if n["name"].startswith("uniform")],
        "predictor": run.result("predict"),
        "export": run.result("export"),
        "onnx": str(run.folder / "model.onnx"),
        "report": str(run.folder / "report.html"),
        "seconds": {name: round(spent, 1) for name, spent in run.seconds().items()},
        "seed": run.config.seed,
    }


def page_facts(run: Run) -> Facts:
    """What only the page shows: trajectories, predictions against measurements, the layers."""
    profile = [read_cost(e["cost"]).ms for e in run.journal.all("measured", stage="profile")]
    return {
        "data": run.journal.last("data") or {},
        "device": run.journal.last("target") or {},
        "epochs": [e["summary"] for e in run.journal.all("epoch")],
        "training": {
            name: run.journal.all("trained", network=name)
            for name in dict.fromkeys(e["network"] for e in run.journal.all("trained"))
        },
        "profile_ms": profile,
        "held_out": (run.result("predict") or {}).get("held_out"),
        "candidates": [read_cost(e["cost"]).ms for e in run.journal.all("measured", stage="derive")],
        "layers": (run.result("verify") or {}).get("layers", []),
        "costs": (run.result("verify") or {}).get("costs", {}),
        "operators": run.result("operators"),
        "rounds": (run.result("derive") or {}).get("rounds"),
    }


def told(comparison: Facts | None) -> str:
    """'1.08 (1.06-1.10)', or that nothing can be told."""
    if comparison is None:
        return "-"
    low, high = comparison["interval"]
    return f"{comparison['ratio']:.2f} ({low:.2f}-{high:.2f}){', tie' if comparison['tie'] else ''}"


def _network(run: Run, name: str, measured: dict[str, dict[str, Any]]) -> Facts:
    trained = run.result(f"train {name}") or {}
    latency = _latency(measured.get(name))
    return {
        "name": name,
        "accuracy": trained.get("accuracy"),
        "latency_ms": latency["ms"],
        "interval": latency["interval"],
        "grade": latency["grade"],
        "to_found": _to_found(measured, name),
    }


def _to_found(measured: dict[str, dict[str, Any]], name: str) -> Facts | None:
    """Its latency over the found network's; both were measured in the same campaigns."""
    if name == FOUND or not measured:
        return None
    found = compare(*(read_cost(measured[n]) for n in (name, FOUND)))
    return asdict(found) if found else None


def _latency(m: dict[str, Any] | None) -> Facts:
    if m is None:
        return {"ms": None, "interval": None, "grade": None, "wall_p50_ms": None, "evidence": None}
    cost = read_cost(m)
    interval = list(cost.interval_ms) if cost.interval_ms else None
    return {"ms": cost.ms, "interval": interval, "grade": cost.grade, "wall_p50_ms": m.get("p50_ms"),
            "evidence": cost.evidence}  # fmt: skip
