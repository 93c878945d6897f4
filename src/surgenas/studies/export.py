"""Hands on a run's trained network in the format of any device: by the suffix of the file, or by the device's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from surgenas.core.catalog import look_up
from surgenas.core.cost import Effort
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.files import write_atomic
from surgenas.core.progress import Progress
from surgenas.core.record import Record
from surgenas.hardware import RUNTIMES
from surgenas.hardware.costs import AnyCost
from surgenas.hardware.devices import make_target
from surgenas.hardware.target import Deliverer, all_costs
from surgenas.runs.delivery import deliver, found_data, read_delivered, read_files, trained_job
from surgenas.runs.model_use import read_use, write_use
from surgenas.runs.names import ONNX
from surgenas.runs.results import Delivered, Exported, ModelFile
from surgenas.runs.run import Run

CPU = ("onnxruntime", "openvino", "litert", "executorch", "ncnn", "mnn", "pytorch")
"""Runtimes by whose suffix a file without a named device is known; each has a shipped device "<name>-cpu"."""


@dataclass(frozen=True)
class HandedOn(Record):
    """files: what was written, and last the file that says how it is used. delivered: how it compares with PyTorch;
    None for the copy of model.onnx, which the run has compared. cost: as measured; None if that was not asked for."""

    files: tuple[str, ...]
    delivered: Delivered | None = None
    cost: AnyCost | None = None


def hand_on(run: Run, to: Path, device: str = "", *, measured: bool, progress: Progress) -> HandedOn:
    """Write a run's trained network to a file.

    device: what it is to run on; without one, the suffix decides: .onnx is the run's model.onnx for everybody, any
    other the run's own device or a CPU. Raises UsageError for a suffix or a device that goes with neither,
    EnvironmentFault for a runtime that is not installed.
    """
    check_place(run, to)
    target = _target(run, device, to.suffix) if device or measured or to.suffix != ".onnx" else None
    found = _made(run, to, target) if target and (device or to.suffix != ".onnx") else _copied(run, to)
    if target and measured:
        paths = {Path(name).suffix: Path(name) for name in found.files[:-1]}
        job = replace(trained_job(run), files=lambda: read_files(paths))
        (cost,) = all_costs(target.price([job], Effort.CLAIM, seed=run.config.seed, progress=progress))
        found = replace(found, cost=cost)
    return found


def check_place(run: Run, to: Path) -> None:
    """Raise UsageError, before time is spent, for a place in no folder, or among the run's own files, which
    `model.json` there describes."""
    if not to.parent.is_dir():
        raise UsageError(f"--to {to}: there is no folder {to.parent}")
    if to.resolve().parent == run.folder.resolve():
        raise UsageError(f"--to {to}: the files of a run are its own; choose a place outside of {run.folder}")


def _copied(run: Run, to: Path) -> HandedOn:
    try:
        content = (run.folder / ONNX).read_bytes()
    except OSError as error:
        raise SurgenasError(f"{run.folder} has no {ONNX}; `surgenas resume {run.folder}` makes it") from error
    write_atomic(to, content)
    return _told(run, to, {to: ModelFile()})


def _target(run: Run, device: str, suffix: str) -> Deliverer:
    """The device that takes files of this suffix."""
    asked = device or _device_for(run, suffix)
    target = make_target(asked)
    if not isinstance(target, Deliverer):
        raise UsageError(
            f"--device {asked}: nothing runs there, so there is no file for it; take a device that measures"
        )
    if target.suffixes[0] != suffix:
        raise UsageError(f"--to: {asked} takes {target.suffixes[0]} files, not {suffix or 'one without a suffix'}")
    return target


def _device_for(run: Run, suffix: str) -> str:
    """The name of the run's own device if it takes such files, else of a CPU that does."""
    exported = run.result(Exported)
    if exported and exported.delivered and suffix in {Path(name).suffix for name in exported.delivered.digests}:
        return run.config.target.name
    by_suffix = {look_up("runtime", name, RUNTIMES).suffixes[0]: name for name in reversed(CPU)}
    if suffix not in by_suffix:
        raise UsageError(
            f"--to: no device takes files of the suffix {suffix!r}; one of {', '.join(sorted(by_suffix))}, or say "
            "which with --device"
        )
    return f"{by_suffix[suffix]}-cpu"


def _made(run: Run, to: Path, target: Deliverer) -> HandedOn:
    """The files that were delivered already, if they are this device's, else new ones."""
    exported = run.result(Exported)
    delivered = exported.delivered if exported else None
    if target.runs_open_onnx:
        _copied(run, to)
        delivered = deliver(target, trained_job(run), found_data(run), to)
    elif delivered and delivered.device == target.name and run.target.key == target.key:
        for suffix, content in read_delivered(run.folder, delivered).items():
            write_atomic(to.with_suffix(suffix), content)
        digests = {to.with_suffix(Path(name).suffix).name: digest for name, digest in delivered.digests.items()}
        delivered = replace(delivered, digests=digests)
    else:
        delivered = deliver(target, trained_job(run), found_data(run), run.folder / ONNX, to)
    return _told(run, to, {to.with_suffix(Path(n).suffix): delivered.file for n in delivered.digests}, delivered)


def _told(run: Run, to: Path, files: Mapping[Path, ModelFile], delivered: Delivered | None = None) -> HandedOn:
    """Write beside the files how they are used."""
    path = to.with_name(f"{to.name}.json")
    use = replace(read_use(run.folder), files={file.name: what for file, what in files.items()})
    write_use(path, use)
    return HandedOn((*map(str, files), str(path)), delivered)
