"""Studies from Python, which are no runs: tables, measurements, comparisons. Each returns a frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surgenas.core.architecture import Architecture
from surgenas.core.progress import Progress
from surgenas.tasks import Classes, Fit, Flips

if TYPE_CHECKING:
    from surgenas.studies.bench import BenchResult
    from surgenas.studies.classify import Classified
    from surgenas.studies.compare import SideBySide
    from surgenas.studies.improvement import Improvement
    from surgenas.studies.measure import Measurements
    from surgenas.studies.operators import Operators
    from surgenas.studies.quantize import Quantized
    from surgenas.studies.scale import Growth
    from surgenas.studies.train import TrainedFile

DEVICES = ("onnxruntime-cpu",)
"""The devices that are asked if the caller names none."""


def train(
    arch: str | Path,
    data: str,
    out: str | Path,
    *,
    epochs: int,
    batch: int = 64,
    seed: int = 0,
    accelerator: str = "auto",
    processes: int = 1,
    max_corrupt: float = 0.05,
    fit: Fit = "crop",
    flips: Flips = "auto",
    classes: Classes = "as-is",
    memory_bytes: float | None = None,
    workers: int | None = None,
    log_to: Sequence[str] = (),
    progress: Progress | None = None,
) -> TrainedFile:
    """Train an architecture from scratch and report its accuracy on the test part.

    arch: an architecture file or a run folder. data, max_corrupt, fit, flips, classes, memory_bytes, workers: as for
    `search`. out: the folder
    of what is trained, for `load`: weights, model.onnx, model.json and checkpoints; called again, an interrupted
    training there is continued. log_to: as for `search`. Raises UsageError as `studies.train.train_alone` does.
    """
    from surgenas.loggers import check_loggers
    from surgenas.runs.found import read_with_space
    from surgenas.runs.names import USE
    from surgenas.studies.train import Reading, train_into
    from surgenas.studies.training_log import logged

    out, progress, (architecture, space) = Path(out), progress or Progress(), read_with_space(arch)
    check_loggers(log_to, out)
    said: dict[str, str | int] = {
        "architecture": architecture.key, "data": data, "epochs": epochs, "batch": batch, "seed": seed, "fit": fit,
        "flips": flips, "classes": classes,
    }  # fmt: skip
    with logged(out, log_to, said, progress) as log:
        found = train_into(
            out, architecture, space, data, epochs, progress, batch=batch, seed=seed, accelerator=accelerator,
            processes=processes, on_epoch=log.note,
            reading=Reading(max_corrupt, fit, flips, classes, memory_bytes, workers),
        )  # fmt: skip
        if found.accuracy.test is not None:
            log.keep(found.accuracy.test, [Path(found.onnx), Path(found.onnx).with_name(USE)])
    return found


def classify(
    run: str | Path, images: str | Path | Sequence[str | Path], *, top: int = 2, progress: Progress | None = None
) -> Classified:
    """Label images with the network that a run has exported: `surgenas.classify("runs/1", "photos/").images[0].label`.

    run: the folder of a run, or of `train`. images: files, and folders with all that lies below. top: how many classes
    of each image are told, the likeliest first. A file that cannot be read is passed over, and is in `unreadable`.
    Raises a SurgenasError that says what to do, also if no file can be read.
    """
    from surgenas.studies import classify as study

    places = [images] if isinstance(images, (str, Path)) else images
    return study.classify(Path(run), [Path(place) for place in places], top, progress or Progress())


def measure(
    what: Sequence[str | Path],
    devices: Sequence[str] = DEVICES,
    *,
    resolution: int = 0,
    layers: bool = False,
    seed: int = 0,
    yardstick: str = "",
    engine: str = "here",
    progress: Progress | None = None,
) -> Measurements:
    """Measure networks side by side, on one device after the other, with MobileNetV2 or another yardstick for
    comparison.

    what: architecture files, run folders, ONNX files, names of timm models. resolution: in pixels, for those that have
    none of their own; 0 for their default. layers: also find the share of the latency by part of the network, from a
    separate profiled run. engine: as for `search`; on a Ray cluster the devices are asked side by side. On a target
    where nothing runs costs are estimated, as `evidence` tells. A network that fails has `error` instead of a cost.
    Raises a SurgenasError if nothing was measured.
    """
    from surgenas.studies import measure as study

    return study.measure(
        [str(w) for w in what], devices, resolution=resolution, layers=layers, seed=seed,
        progress=progress or Progress(), yardstick=yardstick or study.YARDSTICK, engine=engine,
    )  # fmt: skip


def scale(
    arch: str | Path,
    device: str = DEVICES[0],
    out: str | Path = "scaled",
    *,
    knob: str = "width",
    most: float = 2.0,
    slack: float = 0.03,
    data: str | None = None,
    epochs: int = 25,
    seed: int = 0,
    progress: Progress | None = None,
) -> Growth:
    """Grow a network as far as the device does not charge for it (Comfort Zone).

    arch: an architecture file or a run folder. knob: width, resolution or depth. most: the largest scale. slack: share
    of the latency that growing may cost. data: if given, the network and the picked one are trained on it, each at its
    own resolution, for their accuracies. Writes the picked architecture and a page to `out`.
    """
    from surgenas.engine.jobs import home_of
    from surgenas.report.scale_page import write_scale_page
    from surgenas.runs.checkpoint import Checkpoints
    from surgenas.runs.found import read_with_space
    from surgenas.studies import scale as study
    from surgenas.studies.train import train_alone

    out, progress = Path(out), progress or Progress()
    given, space = read_with_space(arch)

    def score(found: Architecture) -> float:
        checkpoints = Checkpoints(out / "checkpoints" / found.key)
        return train_alone(found, home_of(found, space), str(data), checkpoints, epochs, progress, seed=seed).accuracy

    found = study.scale(given, space, device, out, knob=knob, most=most, latency_slack=slack,
                        train=score if data else None, seed=seed, progress=progress)  # fmt: skip
    return replace(found, report=str(write_scale_page(found, out)))


def operators(
    devices: Sequence[str] = DEVICES,
    out: str | Path = "operators",
    *,
    space: str = "operators",
    layout: str = "small",
    resolution: int = 64,
    width: float = 1.0,
    keep: int = 4,
    b: float = 1.0,
    per_layer: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Operators:
    """Select the operators that suit each device (HURRICANE), by FLOPs, parameters and measured latency in every layer.

    keep, b, per_layer: as in `methods.selection.OperatorChoice`. Writes a page to `out`, and for each device a space
    file for `search(space=...)`.
    """
    from surgenas.methods.selection import OperatorChoice
    from surgenas.report.operators_page import write_operators_page
    from surgenas.studies.operators import choose

    choice = OperatorChoice(keep=keep, b=b, per_layer=per_layer)
    found = choose(devices, Path(out), space=space, layout=layout, resolution=resolution, width=width, choice=choice,
                   seed=seed, progress=progress or Progress())  # fmt: skip
    return replace(found, report=str(write_operators_page(found, Path(out))))


def bench(
    space: str,
    table: str | Path,
    validation: str,
    test: str,
    *,
    out: str | Path = "bench",
    progress: Progress | None = None,
    **how: Any,
) -> BenchResult:
    """Compare searches, random search among them, on a table of all of a space's networks.

    validation: the column that steers searches; test: the column that is reported. how: other fields of
    `studies.bench.Bench`. Writes a page and a journal to `out`; called again, it goes on there, and may add seeds and
    methods. Raises a SurgenasError that says what to do.
    """
    from surgenas.report.bench_page import write_bench_page
    from surgenas.spaces import make_space
    from surgenas.studies.bench import Bench, run_bench

    made = Bench(table=Path(table), validation=validation, test=test, **how)
    found = run_bench(make_space(space, {}), made, Path(out), progress or Progress())
    return replace(found, report=str(write_bench_page(found, Path(out))))


def improvement(
    out: str | Path, data: Sequence[str], methods: Sequence[str], *, log_to: Sequence[str] = (),
    progress: Progress | None = None, **how: Any,
) -> Improvement:  # fmt: skip
    """Compare whole searches with random architectures: runs in `out`, one for each data set, method and seed.

    how: `seeds`, `random`, and `settings`, a dictionary of the words of a run. Called again with the same arguments, it
    goes on where it was interrupted. log_to: as for `search`. Raises a SurgenasError that says what to do.
    """
    from surgenas.api.runs import carry_out
    from surgenas.loggers import check_loggers
    from surgenas.runs.workforce import HERE
    from surgenas.studies.improvement import Protocol, one_by_one, run_protocol
    from surgenas.studies.side_by_side import SideBySide

    protocol, progress = Protocol(data=tuple(data), methods=tuple(methods), **how), progress or Progress()
    check_loggers(log_to, Path(out))
    alone = protocol.settings.get("engine") in (None, HERE)
    do = one_by_one(progress, partial(carry_out, log_to=log_to)) if alone else SideBySide(progress, log_to)
    return run_protocol(protocol, Path(out), progress, do)


def compare(runs: Sequence[str | Path], *, progress: Progress | None = None) -> SideBySide:
    """Compare finished runs on the same images with the most accurate one; differences in percent points with 95 %
    intervals.

    Raises UsageError for runs that cannot be compared.
    """
    from surgenas.runs.run import Run
    from surgenas.studies.compare import side_by_side

    return side_by_side([Run.open(Path(run), progress or Progress()) for run in runs])


def quantize(
    run: str | Path,
    latency_ms: float | None,
    path: str | Path,
    device: str = "onnxruntime-cpu",
    *,
    most_bytes: float | None = None,
    probes: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> Quantized:
    """Write a run's trained network to a path, in the mix of fp32 and int8 layers that meets a latency, a size, or both
    at the least expected loss, beside all in fp32 and all in int8: latency, accuracy, and what each layer takes and
    costs.

    most_bytes: of the weights of all layers. device: one of ONNX Runtime or OpenVINO on this machine. probes: random
    directions along which the curvature of the loss is looked at. Raises a SurgenasError that says what to do.
    """
    from surgenas.runs.run import Run
    from surgenas.studies.quantize import quantize as mix

    listener = progress or Progress()
    opened = Run.open(Path(run), listener)
    return mix(opened, latency_ms, most_bytes, device, Path(path), seed=seed, progress=listener, probes=probes)
