"""Runs from Python: search, resume, load, and the steps that are useful alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surgenas.api.models import load
from surgenas.core.architecture import Architecture
from surgenas.core.errors import DataError, EnvironmentFault, LimitError, UsageError
from surgenas.core.progress import Progress
from surgenas.core.record import Record

if TYPE_CHECKING:
    from torch import nn

    from surgenas.runs.foreseen import Plan
    from surgenas.runs.results import Predicted
    from surgenas.runs.run import Run
    from surgenas.runs.summary import Summary
    from surgenas.studies.export import HandedOn


@dataclass(frozen=True)
class Result:
    """A finished run."""

    run: Path
    summary: Summary

    @property
    def architecture(self) -> Architecture:
        """The found architecture."""
        assert self.summary.architecture is not None, "a finished run has one"
        return self.summary.architecture

    @property
    def latency_ms(self) -> float:
        """Measured latency; an estimated one if the target is an estimator (`summary.latency.evidence`)."""
        assert self.summary.latency.ms is not None, "a finished run has one"
        return self.summary.latency.ms

    @property
    def accuracy(self) -> float:
        """Accuracy (0 to 1) of the found network on the test part, which no decision has used."""
        assert self.summary.accuracy.test is not None, "a finished run has one"
        return self.summary.accuracy.test

    @property
    def report(self) -> Path:
        """The path of report.html."""
        return self.run / "report.html"

    @property
    def model(self) -> nn.Module:
        """The trained network in eval mode. Its input (N, C, H, W) must be normalised by the run's mean and std."""
        return load(self.run)

    def export(self, path: str | Path, device: str = "") -> Path:
        """Write the trained network to a path, and return it. Arguments and errors as of `surgenas.export`."""
        export(self.run, path, device)
        return Path(path)

    def to_json(self) -> dict[str, Any]:
        return self.summary.to_json()

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()


@dataclass(frozen=True)
class Profile(Record):
    """What was measured into a run folder and the measurement store. samples: networks measured."""

    run: str
    device: str
    samples: int
    reachable_ms: tuple[float, float]


@dataclass(frozen=True)
class Logged(Record):
    """Where a run was written to. points: how many were missing in each place."""

    run: str
    points: Mapping[str, int]


def search(
    data: str = "digits",
    device: str = "onnxruntime-cpu",
    latency_ms: float | None = None,
    *,
    out: str | Path | None = None,
    log_to: Sequence[str] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Find, train, export and measure a network for these images, this device and this limit.

    data: a folder of class folders, a table of paths and labels (.csv, .tsv, .parquet), "torchvision:NAME", or
    "digits". device: a name that `surgenas devices` lists, or a
    TOML file. latency_ms: None for half the latency of the space's largest network, or for a latency that can be
    reached where that half cannot. out: the run folder; None for runs/<time>. log_to: where the run is written to
    beside its own journal, such as "tensorboard" or "mlflow=URI" (docs/how_to/follow_a_run.md). settings: other words
    of `runs.config` (`seed`, `layout`, `resolution`, `epochs`, `random`, ...); `space` may be a space file. Raises a
    SurgenasError that says what to do.
    """
    from surgenas.loggers import check_loggers
    from surgenas.runs.journal import discard

    folder = _folder(out)
    check_loggers(log_to, folder)
    run = create(data=data, device=device, latency_ms=latency_ms, out=folder, progress=progress, **settings)
    if not out:
        run.progress.log(f"run folder: {folder}")  # who interrupts it must know what to resume
    try:
        return _finish(run, log_to=log_to)
    except (UsageError, DataError, EnvironmentFault, LimitError):
        if not out:  # nobody asked for this folder, and it holds nothing
            discard(folder)
        raise


def create(*, out: str | Path | None = None, progress: Progress | None = None, **settings: Any) -> Run:
    """Make a new run folder in which nothing is done yet. Arguments as for `search`."""
    from surgenas.runs.config import make_config
    from surgenas.runs.run import Run

    return Run.create(_folder(out), make_config(**settings), progress or Progress())


def _folder(out: str | Path | None) -> Path:
    return Path(out) if out else Path("runs") / time.strftime("%Y%m%d-%H%M%S")


def resume(
    run: str | Path,
    *,
    time_limit_s: float | None = None,
    memory_bytes: float | None = None,
    workers: int | None = None,
    processes: int | None = None,
    engine: str | None = None,
    log_to: Sequence[str] = (),
    progress: Progress | None = None,
) -> Result:
    """Continue an interrupted run; its result is the one that it would have had without the interruption.

    time_limit_s: how long the whole run may take, what it has taken among it; None for the limit that it has, which
    holds no more once it has stopped the run. memory_bytes, workers, processes, engine: as for `search`, in place of
    what was said then. log_to: as for `search`, beside where the run is written to already.
    """
    from surgenas.loggers import check_loggers
    from surgenas.runs.config import changed

    check_loggers(log_to, Path(run))
    opened = _open(run, progress)
    config = changed(opened.config, memory_bytes=memory_bytes, workers=workers, processes=processes, engine=engine)
    return _finish(replace(opened, config=config), time_limit_s, log_to)


def log(run: str | Path, to: Sequence[str], *, progress: Progress | None = None) -> Logged:
    """Write a run, finished or not, to loggers: of each what it does not have yet. A later `resume` goes on there.

    to: as `log_to` of `search`. Raises a SurgenasError that says what to do, also for a place that cannot be written.
    """
    from surgenas.loggers import check_loggers
    from surgenas.runs.following import write_logs

    opened = _open(run, progress)
    check_loggers(to, opened.folder)
    with opened.exclusive():
        return Logged(str(opened.folder), write_logs(opened, to))


def export(
    run: str | Path, path: str | Path, device: str = "", *, measured: bool = False, progress: Progress | None = None
) -> HandedOn:
    """Write a run's trained network to a path, compared with PyTorch, and beside it <path>.json, which says how it is
    used.

    device: what it is to run on; without one the suffix decides (.onnx, .tflite, .xml, .pte, .param, .mnn, .pt2).
    measured: measure there what was written. Raises a SurgenasError that says what to do.
    """
    from surgenas.studies.export import hand_on

    return hand_on(_open(run, progress), Path(path), device, measured=measured, progress=progress or Progress())


def write_report(run: str | Path, *, progress: Progress | None = None) -> Path:
    """Write report.html of a run, finished or not, and return its path; of one whose network is exported also the model
    card, README.md."""
    from surgenas.report.card import write_card
    from surgenas.report.page import write_page

    opened = _open(run, progress)
    write_card(opened)
    return write_page(opened)


def dry_run(*, progress: Progress | None = None, **settings: Any) -> Plan:
    """What a search would do: reachable latencies, epochs, seconds and memory. Nothing is kept. settings: as for
    `search`."""
    from surgenas.runs.flow import prepare
    from surgenas.runs.foreseen import foresee

    with tempfile.TemporaryDirectory() as folder:
        run = create(out=Path(folder) / "run", progress=progress, **settings)
        return foresee(*prepare(run), run.resolution, run.width)


def profile(*, out: str | Path | None = None, progress: Progress | None = None, **settings: Any) -> Profile:
    """Measure sampled architectures into the measurement store and into a run folder for `predict`.

    settings: as for `search`. An interrupted profile in the folder is continued if its settings are the same.
    """
    from surgenas.runs import flow
    from surgenas.runs.config import make_config
    from surgenas.runs.run import Run

    run = Run.open_or_create(_folder(out), make_config(**settings), progress or Progress())
    with run.exclusive():
        flow.measure_profile(run)
    reached = run.reached
    samples = len({event["key"] for event in run.journal.all("measured", step="profile")})
    return Profile(str(run.folder), run.target.key, samples, (reached.low_ms, reached.high_ms))


def predict(run: str | Path, *, progress: Progress | None = None) -> Predicted:
    """The comparison of all latency predictors on held-out architectures, and the chosen one.

    Raises UsageError for a run that has no profile yet.
    """
    from surgenas.runs import flow
    from surgenas.runs.results import Profiled

    opened = _open(run, progress)
    if opened.result(Profiled) is None:
        raise UsageError(f"{run} has no profile yet; `surgenas profile` with the same options goes on")
    with opened.exclusive():
        flow.fit_predictor(opened)
    return opened.predicted


def _open(folder: str | Path, progress: Progress | None) -> Run:
    from surgenas.runs.run import Run

    return Run.open(Path(folder), progress or Progress())


def carry_out(run: Run, time_limit_s: float | None = None, log_to: Sequence[str] = ()) -> None:
    """Do all that is left of a run, and write its page and its card; loggers follow."""
    from surgenas.report.card import write_card
    from surgenas.report.page import write_page
    from surgenas.runs.flow import execute
    from surgenas.runs.following import followed

    with followed(run, log_to):
        execute(run, time_limit_s)
        write_page(run)
        write_card(run)


def _finish(run: Run, time_limit_s: float | None = None, log_to: Sequence[str] = ()) -> Result:
    from surgenas.runs.summary import summarize

    carry_out(run, time_limit_s, log_to)
    return Result(run.folder, summarize(run))
