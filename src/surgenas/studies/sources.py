"""What can be measured? A run folder, an architecture file, an ONNX file, or the name of a timm model."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from pathlib import Path

from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.engine.jobs import job_of
from surgenas.hardware.onnx_file import fix_shape, read_onnx
from surgenas.hardware.target import Job
from surgenas.runs.found import read_with_space
from surgenas.runs.results import FOUND
from surgenas.runs.run import Run
from surgenas.runs.training import weights_file


def find_trained_run(what: str, progress: Progress) -> Run | None:
    """The run in a folder, if its found network is trained; None for anything else."""
    folder = Path(what)
    if (folder / "config.json").is_file() and (folder / weights_file(FOUND)).is_file():
        return Run.open(folder, progress)
    return None


def read_source(what: str, resolution: int = 0) -> Job:
    """The job that measures what a path or a name stands for. resolution: in pixels; 0 for the network's own.

    Raises UsageError or DataError saying what is wrong with it.
    """
    path = Path(what)
    if path.suffix == ".onnx":
        return _onnx(path, resolution)
    if path.exists() or path.suffix == ".json" or "/" in what:
        return job_of(*read_with_space(path))
    return _timm(what, resolution)


def _onnx(path: Path, resolution: int) -> Job:
    model = read_onnx(path)
    first = fix_shape(model, 1, resolution, str(path))
    return Job(
        f"onnx-{hashlib.sha256(model.SerializeToString()).hexdigest()[:16]}-{first.shape[-1]}",
        None,
        first.shape,
        model=lambda batch: fix_shape(model, batch, resolution, str(path)).model,
    )


def _timm(name: str, resolution: int) -> Job:
    import timm

    if not timm.is_model(name):
        models = timm.list_models()
        near = get_close_matches(name, models, cutoff=0.5) or timm.list_models("mobilenet*")[:3]
        raise UsageError(
            f"{name!r} is neither a file nor a timm model; expected an architecture.json, a run folder, an .onnx file, "
            f"or for example {', '.join(near)}"
        )
    size = timm.get_pretrained_cfg(name).input_size
    shape = (size[0], resolution or size[1], resolution or size[2])
    return Job(f"timm-{timm.__version__}-{name}-{shape[1]}", lambda: timm.create_model(name, pretrained=False), shape)
