"""What can be measured? A run folder, an architecture file, an ONNX file, or the name of a timm model."""

from __future__ import annotations

import hashlib
from pathlib import Path

from surgenas.core.progress import Progress
from surgenas.core.units import show_sides
from surgenas.engine.jobs import job_of
from surgenas.hardware.onnx_file import read_onnx
from surgenas.hardware.onnx_input import fix_shape
from surgenas.hardware.target import Job
from surgenas.runs.found import read_with_space
from surgenas.runs.names import FOUND
from surgenas.runs.run import Run
from surgenas.runs.training import weights_file
from surgenas.studies.timm_models import read_timm


def find_trained_run(what: str, progress: Progress) -> Run | None:
    """The run in a folder, if its found network is trained; None for anything else."""
    folder = Path(what)
    if (folder / "config.json").is_file() and (folder / weights_file(FOUND)).is_file():
        return Run.open(folder, progress)
    return None


def read_source(what: str, size: tuple[int, int] = (0, 0)) -> Job:
    """The job that measures what a path or a name stands for. size: (H, W) in pixels; 0 for the network's own.

    Raises UsageError or DataError saying what is wrong with it.
    """
    path = Path(what)
    if path.suffix == ".onnx":
        return _onnx(path, size)
    if path.exists() or path.suffix == ".json" or "/" in what:
        return job_of(*read_with_space(path))
    return read_timm(what, size)


def _onnx(path: Path, size: tuple[int, int]) -> Job:
    model = read_onnx(path)
    first = fix_shape(model, 1, size, str(path))
    _, H, W = first.shape
    plain = (first.layout, first.dtype) == ("NCHW", "float32") and H == W
    return Job(
        f"onnx-{hashlib.sha256(model.SerializeToString()).hexdigest()[:16]}-{show_sides(H, W)}",
        None,
        first.shape,
        model=lambda batch: fix_shape(model, batch, size, str(path)).model,
        layout=first.layout,
        dtype=first.dtype,
        notes=() if plain else (f"taken for images of {show_sides(H, W)} px in {first.layout}, {first.dtype}",),
    )
