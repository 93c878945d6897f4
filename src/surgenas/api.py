"""surgenas from Python: the same functions that the commands call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surgenas.core.architecture import Architecture, read_architecture
from surgenas.core.errors import SurgenasError, UsageError
from surgenas.core.progress import Progress

if TYPE_CHECKING:
    from torch import nn

    from surgenas.runs.run import Run

DEVICES = ("onnxruntime-cpu",)


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run. Latencies in ms, measured; accuracy on images that no decision has seen."""

    run: Path
    facts: dict[str, Any]

    @property
    def architecture(self) -> Architecture:
        return Architecture.from_dict(self.facts["architecture"])

    @property
    def latency_ms(self) -> float:
        return float(self.facts["latency"]["ms"])

    @property
    def accuracy(self) -> float:
        return float(self.facts["accuracy"]["test"])

    @property
    def report(self) -> Path:
        return self.run / "report.html"

    @property
    def model(self) -> nn.Module:
        """The trained network, in eval mode; its input is standardised by the run's mean and std."""
        return load(self.run)

    def export(self, path: str | Path) -> Path:
        """Copy the verified ONNX file; raises EnvironmentFault if it cannot be written."""
        return export(self.run, path)


def search(
    data: str = "digits",
    device: str = "onnxruntime-cpu",
    latency_ms: float | None = None,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Find, train, export and measure a network for these images, this device and this limit.

    latency_ms None: half the latency of the space's largest network, or the middle of what can be reached. settings:
    the fields of RunConfig (`seed`, `layout`, `resolution`, `epochs`, `random`, ...); `space` may be a space file.
    Raises a SurgenasError that says what to do.
    """
    return _finish(create(data=data, device=device, latency_ms=latency_ms, out=out, progress=progress, **settings))


def create(*, out: str | Path | None = None, progress: Progress | None = None, **settings: Any) -> Run:
    """A new run folder, nothing done yet."""
    from surgenas.runs.config import make_config
    from surgenas.runs.run import Run

    return Run.create(_folder(out), make_config(**settings), progress or Progress())


def _folder(out: str | Path | None) -> Path:
    return Path(out) if out else Path("runs") / time.strftime("%Y%m%d-%H%M%S")


def resume(run: str | Path, *, progress: Progress | None = None) -> Result:
    """Continue an interrupted run to the result that it would have had."""
    return _finish(_open(run, progress))


def load(run: str | Path) -> nn.Module:
    """The trained network of a run, in eval mode: `model = surgenas.load("runs/1")`."""
    from surgenas.runs.checkpoint import load_weights
    from surgenas.spaces import space_of

    arch = read_architecture(Path(run) / "architecture.json")
    return load_weights(Path(run) / "model.safetensors", space_of(arch).build(arch)).eval()


def export(run: str | Path, path: str | Path) -> Path:
    """Copy a run's verified ONNX file to a path."""
    from surgenas.core.files import write_atomic

    source = Path(run) / "model.onnx"
    try:
        content = source.read_bytes()
    except OSError as error:
        raise SurgenasError(f"{run} has no model.onnx; `surgenas resume {run}` makes it") from error
    write_atomic(Path(path), content)
    return Path(path)


def write_report(run: str | Path, *, progress: Progress | None = None) -> Path:
    """Draw report.html of a run, finished or not."""
    from surgenas.report.page import write_page

    return write_page(_open(run, progress))


def dry_run(*, progress: Progress | None = None, **settings: Any) -> dict[str, Any]:
    """What a search would do: reachable latencies, epochs, seconds and memory. Nothing is kept."""
    import tempfile

    from surgenas.runs.flow import prepare

    with tempfile.TemporaryDirectory() as folder:
        reached, plan = prepare(create(out=Path(folder) / "run", progress=progress, **settings))
    stages = {"profile": plan.profile_s, "search": plan.search_s, "train": plan.train_s, "other": plan.other_s}
    return {
        "limit_ms": reached["limit_ms"],
        "reachable_ms": [reached["low_ms"], reached["high_ms"]],
        "epochs": plan.epochs,
        "train_epochs": plan.train_epochs,
        "seconds": {name: round(seconds) for name, seconds in stages.items()},
        "total_seconds": round(plan.total_s),
        "memory_bytes": plan.memory_bytes,
    }


def profile(*, out: str | Path | None = None, progress: Progress | None = None, **settings: Any) -> dict[str, Any]:
    """Measure sampled architectures into the store and into a run folder that `predict` reads; goes on with one of the
    same settings that was interrupted."""
    from surgenas.runs.config import make_config
    from surgenas.runs.run import Run
    from surgenas.runs.steps.profile import profile as stage
    from surgenas.runs.steps.reach import reach

    run = Run.begun(_folder(out), make_config(**settings), progress or Progress())
    with run.exclusive():
        reached = reach(run)
        stage(run)
    return {
        "run": str(run.folder),
        "device": run.target.key,
        "samples": len(run.journal.all("measured", stage="profile")),
        "reachable_ms": [reached["low_ms"], reached["high_ms"]],
    }


def predict(run: str | Path, *, progress: Progress | None = None) -> dict[str, Any]:
    """Errors of all predictors on held-out architectures, the noise ceiling, and the choice."""
    from surgenas.runs.steps.predict import predict as stage

    opened = _open(run, progress)
    if opened.result("profile") is None:
        raise UsageError(f"{run} has no profile yet; `surgenas profile` with the same options goes on")
    with opened.exclusive():
        stage(opened)
    return opened.result("predict") or {}


def predict_table(
    space: str, table: str | Path, columns: Sequence[str] = (), *, progress: Progress | None = None, **settings: Any
) -> dict[str, Any]:
    """Predictors judged on a public latency table; settings as of `studies.contest.Contest`."""
    from surgenas.spaces import make_space
    from surgenas.studies.contest import Contest, run_contest

    made = make_space(space, {})
    return run_contest(made, Contest(Path(table), tuple(columns), **settings), progress or Progress())


def train(
    arch: str | Path,
    data: str,
    out: str | Path,
    *,
    epochs: int,
    batch: int = 64,
    seed: int = 0,
    accelerator: str = "auto",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train an architecture from scratch on a data set and report it on the test part."""
    from surgenas.runs.checkpoint import Checkpoints, save_weights
    from surgenas.studies.train import trained

    out = Path(out)
    state, accuracy = trained(read_architecture(arch), data, Checkpoints(out / "checkpoints"), epochs,
                              progress or Progress(), batch=batch, seed=seed, accelerator=accelerator)  # fmt: skip
    save_weights(out / "model.safetensors", state)
    return {"model": str(out / "model.safetensors"), "accuracy": {"test": accuracy}}


def measure(
    what: Sequence[str | Path],
    devices: Sequence[str] = DEVICES,
    *,
    resolution: int = 0,
    layers: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
    yardstick: str = "mobilenetv2_100",
) -> dict[str, Any]:
    """Measure architectures, run folders, ONNX files and timm models side by side, on one device after the other.

    MobileNetV2 is measured beside them. A target on which nothing runs says what it estimates: `evidence` tells. A
    network that fails has `error` in place of its latency. layers: the share of the latency by part of the network,
    from a separate profiled run. Raises a SurgenasError if nothing was measured.
    """
    from surgenas.studies.measure import compare

    return compare([str(w) for w in what], devices, resolution=resolution, layers=layers, seed=seed,
                   progress=progress or Progress(), yardstick=yardstick)  # fmt: skip


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
) -> dict[str, Any]:
    """Comfort Zone: the measured scales, the zone, the picked architecture in `out`; with data, accuracy before and
    after, trained alike from scratch at each one's own resolution."""
    from surgenas.report.scale_page import write_scale_page
    from surgenas.runs.checkpoint import Checkpoints
    from surgenas.studies.scale import scale as stage
    from surgenas.studies.train import trained

    out, progress = Path(out), progress or Progress()

    def score(found: Architecture) -> float:
        return trained(found, str(data), Checkpoints(out / "checkpoints" / found.key), epochs, progress, seed=seed)[1]

    found = stage(read_architecture(arch), device, out, knob=knob, most=most, latency_slack=slack,
                  train=score if data else None, seed=seed, progress=progress)  # fmt: skip
    return found | {"report": str(write_scale_page(found, out))}


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
) -> dict[str, Any]:
    """The operators that each device likes (HURRICANE), from their FLOPs, parameters and measured latency wherever a
    layer could take them; `out` gets a space file for each device, for `search(space=...)`, and a page."""
    from surgenas.report.operators_page import write_operators_page
    from surgenas.studies.operators import choose

    found = choose(devices, Path(out), space=space, layout=layout, resolution=resolution, width=width, keep=keep, b=b,
                   per_layer=per_layer, seed=seed, progress=progress or Progress())  # fmt: skip
    return found | {"report": str(write_operators_page(found, Path(out)))}


def _open(folder: str | Path, progress: Progress | None) -> Run:
    from surgenas.runs.run import Run

    return Run.open(Path(folder), progress or Progress())


def _finish(run: Run) -> Result:
    from surgenas.report.facts import facts
    from surgenas.report.page import write_page
    from surgenas.runs.flow import execute

    execute(run)
    write_page(run)
    return Result(run.folder, facts(run))
