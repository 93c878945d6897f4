"""What a trained network is handed on as: model.onnx for everybody, and the files of the device that it was searched
for, whose bytes are those that are measured. Each is loaded again and compared with PyTorch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from surgenas.core.architecture import Architecture
from surgenas.core.catalog import look_up
from surgenas.core.errors import CorruptError
from surgenas.core.files import write_atomic
from surgenas.engine.jobs import home_of, job_of
from surgenas.hardware import RUNTIMES
from surgenas.hardware.onnx_file import add_metadata, to_onnx
from surgenas.hardware.runtimes import Images
from surgenas.hardware.target import Deliverer, Job, TargetInfo
from surgenas.hardware.timed.conversion import check_equal
from surgenas.nn.weights import load_weights
from surgenas.runs.names import FOUND
from surgenas.runs.results import Delivered, Exported, ModelFile
from surgenas.runs.run import Run
from surgenas.runs.training import weights_file
from surgenas.tasks.data import Dataset, eval_batches

COMPARED = 64
"""How many test images PyTorch and a file are compared on."""
TOGETHER = 64
"""How many test images a device is asked to classify at once."""
CALIBRATION = 256
"""How many training images a trained network is quantized with."""


def write_onnx(
    path: Path, network: nn.Module, arch: Architecture, input_shape: tuple[int, int, int], data: Dataset
) -> Exported:
    """Write an ONNX file of open batch size, load it again and compare it with the network on test images.

    Raises SurgenasError if it computes something else.
    """
    facts = {"classes": data.classes, "mean": data.mean, "std": data.std, "architecture": arch.to_dict()}
    write_atomic(path, add_metadata(to_onnx(network, input_shape, batch=None), facts))
    images = _first_test_images(data)
    runtime = look_up("runtime", "onnxruntime", RUNTIMES)()
    found = runtime.prepare(path.read_bytes(), images, 1, "fp32")()
    expected = _compute(network, images)
    return Exported(check_equal(expected, found, "ONNX Runtime"), _same_class(expected, found))


def deliver(target: Deliverer, job: Job, data: Dataset, onnx: Path, to: Path | None = None) -> Delivered:
    """Write a trained network's files for a device, load them again and compare them with the network on test images.

    onnx: its ONNX file of open batch size, which is all that a device needs that runs such files. to: where the files
    go, their suffix aside; None for beside the ONNX file. Raises SurgenasError if one in fp32 computes something else.
    """
    info = target.describe()
    paths = {onnx.suffix: onnx}
    if not target.runs_open_onnx:
        files = target.deliver(job)
        paths = {suffix: (to or onnx.with_name(_stem(info, suffix))).with_suffix(suffix) for suffix in files}
        for suffix, path in paths.items():
            write_atomic(path, files[suffix])
    handed_on = replace(job, files=lambda: read_files(paths))
    found = logits_of_test_part(target, handed_on, data)
    expected = _compute(job.module, _first_test_images(data))
    if info.precision == "fp32":
        check_equal(expected, found[:COMPARED], info.runtime)
    return Delivered(
        device=info.name,
        file=ModelFile(info.precision, None if target.runs_open_onnx else info.batch, info.runtime),
        digests={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths.values()},
        difference=float(np.abs(found[:COMPARED] - expected).max() / np.abs(expected).max()),
        same_class=_same_class(expected, found[:COMPARED]),
        accuracy=float((found.argmax(1) == data.test.labels.numpy()).mean()),
    )


def logits_of_test_part(target: Deliverer, job: Job, data: Dataset) -> Images:
    """What a device answers to all images of the test part, (N, classes); few of them are in memory at a time."""
    parts = eval_batches(data, data.test, TOGETHER)
    return np.concatenate([target.logits(job, images.numpy()) for images, _ in parts])


def read_files(paths: Mapping[str, Path]) -> dict[str, bytes]:
    """The contents of files by suffix."""
    return {suffix: path.read_bytes() for suffix, path in paths.items()}


def found_data(run: Run) -> Dataset:
    """The run's images, as large as the found network takes them."""
    found = run.derived.architecture
    return run.data.at(home_of(found, run.space).input_of(found)[1])


def trained_job(run: Run) -> Job:
    """The job of a run's found network with the weights that were trained, and with images of its data for a
    quantizer."""
    return with_trained_weights(job_of(run.derived.architecture, run.space), run)


def with_trained_weights(job: Job, run: Run) -> Job:
    """The job with the weights that the run trained, and with images of its data for a quantizer."""

    def images() -> Images:
        data = found_data(run)
        found: Images = data.normalise(data.train.spaced(CALIBRATION).images[:]).numpy()
        return found

    return replace(job, build=lambda: load_weights(run.folder / weights_file(FOUND), job.module), images=images)


def delivered_job(run: Run) -> Job | None:
    """The job that measures the files that were delivered; None if there are none.

    Raises CorruptError if they are no longer what they were.
    """
    exported = run.result(Exported)
    if exported is None or exported.delivered is None:
        return None
    return replace(trained_job(run), files=partial(read_delivered, run.folder, exported.delivered))


def read_delivered(folder: Path, delivered: Delivered) -> dict[str, bytes]:
    """The contents of delivered files by suffix; raises CorruptError if they are no longer what they were."""
    found = {}
    for name, digest in delivered.digests.items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise CorruptError(f"{path} is missing or damaged; `surgenas resume {folder}` makes it again")
        found[path.suffix] = content
    return found


def _stem(info: TargetInfo, suffix: str) -> str:
    """What a device's file is called: not as the file for everybody, which is another."""
    if info.precision == "int8":
        return "model-int8"
    return f"model-batch{info.batch}" if suffix == ".onnx" else "model"


def _first_test_images(data: Dataset) -> Images:
    found: Images = data.normalise(data.test.images[:COMPARED]).numpy()
    return found


def _compute(network: nn.Module, images: Images) -> Images:
    with torch.no_grad():
        found: Images = network(torch.from_numpy(images)).numpy()
    return found


def _same_class(expected: Images, found: Images) -> float:
    return float((expected.argmax(1) == found.argmax(1)).mean())
