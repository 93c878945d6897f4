"""Writes the trained network as files for whoever deploys it, loads each again, and compares it with PyTorch."""

from __future__ import annotations

from dataclasses import replace

from surgenas.engine.jobs import home_of
from surgenas.hardware.target import Deliverer
from surgenas.runs.delivery import deliver, found_data, trained_job, write_onnx
from surgenas.runs.model_use import use_of, write_use
from surgenas.runs.names import ONNX, USE
from surgenas.runs.results import Exported
from surgenas.runs.run import Run


def export(run: Run) -> Exported:
    """Write model.onnx, the files of the device if it has others, and model.json. Raises an error if one of them does
    not compute what PyTorch computes."""
    found, job = run.derived.architecture, trained_job(run)
    shape = home_of(found, run.space).input_of(found)
    data = found_data(run)
    exported = write_onnx(run.folder / ONNX, job.module, found, shape, data)
    if isinstance(run.target, Deliverer):
        exported = replace(exported, delivered=deliver(run.target, job, data, run.folder / ONNX))
    write_use(run.folder / USE, use_of(data, shape, exported.files))
    return exported
