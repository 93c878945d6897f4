"""Writes the trained network as an ONNX file, loads it again, and compares it with PyTorch on test images."""

from __future__ import annotations

import torch

from surgenas.core.catalog import look_up
from surgenas.core.files import write_atomic
from surgenas.engine.jobs import home_of
from surgenas.hardware import RUNTIMES
from surgenas.hardware.onnx_file import add_metadata, to_onnx
from surgenas.hardware.timed.conversion import check_equal
from surgenas.runs.checkpoint import load_weights
from surgenas.runs.results import FOUND, Exported
from surgenas.runs.run import Run
from surgenas.runs.training import weights_file


def export(run: Run) -> Exported:
    """Write model.onnx, with an open batch size. Raises an error if its outputs are not those of PyTorch."""
    found = run.derived.architecture
    space = home_of(found, run.space)
    network = load_weights(run.folder / weights_file(FOUND), space.build(found)).eval()
    model = to_onnx(network, space.input_shape, batch=None)
    data = run.data
    facts = {"classes": data.classes, "mean": data.mean, "std": data.std, "architecture": found.to_dict()}
    write_atomic(run.folder / "model.onnx", add_metadata(model, facts))
    images = data.normalise(data.test.images[:64]).numpy()
    runtime = look_up("runtime", "onnxruntime", RUNTIMES)()
    output = runtime.prepare((run.folder / "model.onnx").read_bytes(), images, 1, "fp32")()
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
    difference = check_equal(expected, output, "ONNX Runtime")
    return Exported(difference, float((output.argmax(1) == expected.argmax(1)).mean()))
