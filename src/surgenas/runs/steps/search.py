"""Run the search method epoch by epoch, its whole state on disk after each."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError

from surgenas.core import moves
from surgenas.core.catalog import look_up
from surgenas.core.errors import Interrupted, UsageError, complaint
from surgenas.methods import CATALOG, SAMPLERS
from surgenas.methods.base import SearchConfig, SupernetSearch
from surgenas.methods.candidates import HeldOut
from surgenas.runs.run import Run
from surgenas.runs.steps.measured import fitted_predictor, samples
from surgenas.predictors import CATALOG as PREDICTORS
from surgenas.predictors.base import Predictor
from surgenas.predictors.linear import AdditivePredictor
from surgenas.training.augment import steps_per_epoch, train_batches
from surgenas.tasks.data import Dataset, Part, hold_out
from surgenas.training.loop import make_fabric

DEFAULT_EPOCHS = 20
DIGITS_EPOCHS = 7
HELD_OUT, MOST_HELD_OUT, LEAST_HELD_OUT, CALIBRATION = 0.2, 2000, 400, 256
"""For methods that judge candidates: share of the training part that is held out for it and not trained on in the
search, how many images at most, and images that BN statistics are estimated from."""
LARGE = 96
"""Height and width, from which fewer than the most are held out."""
NEAREST = 10
"""Measured networks nearest to the limit, at which the predictor is asked how sure it is."""
LARGEST_MARGIN = 0.1


def search_epochs(run: Run) -> int:
    """As asked, or by the data; less if the plan of a time limit says so."""
    plan = run.journal.last("planned")
    return int(plan["epochs"]) if plan else run.config.epochs or default_epochs(run, method_class(run))


def default_epochs(run: Run, method: type[SupernetSearch]) -> int:
    usual = DIGITS_EPOCHS if run.config.data == "digits" else DEFAULT_EPOCHS
    enough = math.ceil(method.least_steps / steps_per_epoch(search_data(run), run.config.batch))
    return max(round(method.longer * usual), enough)


def method_class(run: Run) -> type[SupernetSearch]:
    found: type[SupernetSearch] = look_up("method", run.config.method, CATALOG)
    return found


def method_config(run: Run) -> SearchConfig:
    """The method's settings; raises UsageError for one that it does not have."""
    kind = method_class(run).Config
    settings = {"epochs": search_epochs(run), **run.config.method_settings}
    if "epochs" in run.config.method_settings:
        raise UsageError("--set epochs: the plan must know them; use --epochs")
    known = [field.name for field in fields(kind)]
    if unknown := [name for name in settings if name not in known]:
        raise UsageError(f"--set: {run.config.method} has no setting {unknown[0]!r}; one of {', '.join(known)}")
    try:
        made: SearchConfig = TypeAdapter(kind).validate_python(settings)
    except ValidationError as error:
        where, what = complaint(error)
        raise UsageError(f"--set {where}={error.errors()[0]['input']}: {what}") from None
    return made


def check_names(run: Run) -> None:
    """Raise UsageError for a method, sampler, predictor or accelerator that is not there, before time is spent."""
    make_fabric(run.config.accelerator, run.config.devices)
    method_class(run).supernet_of(run.space)
    look_up("sampler", getattr(method_config(run), "sampler", "ods"), SAMPLERS)
    usable(run)


def usable(run: Run) -> list[str]:
    """The predictors to choose from: those asked for that a gradient can pass through and that the method can use."""
    kinds = {name: look_up("predictor", name, PREDICTORS) for name in run.config.predictors}
    if method_class(run).additive(run.config.method_settings):
        kinds = {name: kind for name, kind in kinds.items() if issubclass(kind, AdditivePredictor)}
    found = [name for name, kind in kinds.items() if kind.differentiable]
    if not found:
        asked = ", ".join(run.config.predictors)
        raise UsageError(f"{run.config.method}, set as it is, can use none of {asked}; leave `predictors` out")
    return found


def search_data(run: Run) -> Dataset:
    """What the supernet trains on: all but what candidates are judged by."""
    return _halves(run)[0] if method_class(run).holds_out else run.data


def held_out(run: Run) -> HeldOut | None:
    """What candidates are judged by, where the method judges them."""
    if not method_class(run).holds_out:
        return None
    data, aside = _halves(run)
    spaced = slice(None, None, max(1, len(data.train) // CALIBRATION))  # folders are read class by class
    calibration, images = (
        data.normalise(part).contiguous(memory_format=torch.channels_last)
        for part in (data.train.images[spaced][:CALIBRATION], aside.images)
    )
    return HeldOut(calibration, images, aside.labels)


def _halves(run: Run) -> tuple[Dataset, Part]:
    """Of large images fewer, since activations of all of them are held at once."""
    fits = MOST_HELD_OUT * min(1.0, (LARGE / run.data.resolution) ** 2)
    return hold_out(run.data, HELD_OUT, max(LEAST_HELD_OUT, int(fits)), run.config.seed)


def accelerator(run: Run) -> torch.device:
    """What the supernet trains on."""
    return torch.device("cuda" if run.config.accelerator != "cpu" and torch.cuda.is_available() else "cpu")


def make_method(run: Run, limit_ms: float) -> SupernetSearch:
    """The method, with the predictor fitted on all that is measured so far."""
    method: Any = method_class(run)  # each takes its own Config
    predictor = fitted_predictor(run)
    made: SupernetSearch = method(
        run.space,
        method_config(run),
        predictor,
        limit_ms - margin_ms(run, predictor, limit_ms),
        steps_per_epoch=steps_per_epoch(search_data(run), run.config.batch),
        seed=run.config.seed,
        device=accelerator(run),
        held_out=held_out(run),
    )
    return made


def margin_ms(run: Run, predictor: Predictor, limit_ms: float) -> float:
    """How far below the limit the search aims: by what the predictor says it may be off near there, at most a tenth."""
    archs, latency_ms = samples(run)
    nearest = np.abs(latency_ms - limit_ms).argsort()[:NEAREST]
    unsure = predictor.uncertainty(moves.encode(run.space, [archs[i] for i in nearest]))
    return float(min(np.median(unsure), LARGEST_MARGIN * limit_ms))


def search(run: Run, limit_ms: float, extra: int = 0) -> SupernetSearch:
    """The searched state after all epochs, and `extra` more with what the predictor has learned since."""
    method, data = make_method(run, limit_ms), search_data(run)
    until = method.epochs + extra
    checkpoints = run.checkpoints("search")
    saved = checkpoints.load()
    first = 0
    if saved:
        first, state = saved
        method.load_state_dict(state["method"])
        for summary in state["epochs"]:  # a kill may have come between checkpoint and journal
            _record(run, summary)
    if (first >= until or method.finished) and run.result("search") is not None:
        return method
    stage = "search" if not extra else f"search+{extra}"
    with run.stage(stage) as result, run.progress.task("search", until, first) as task:
        for epoch in range(first, until):
            check_time(run)
            if method.finished:
                break
            batches = train_batches(data, run.config.batch, run.config.seed, epoch)
            summary = asdict(method.run_epoch(epoch, batches))
            epochs = [e["summary"] for e in run.journal.all("epoch")] + [summary]
            checkpoints.save(epoch + 1, {"method": method.state_dict(), "epochs": epochs})
            _record(run, summary)
            task.advance(_note(summary, limit_ms))
        result["epochs"] = until
    return method


def check_time(run: Run) -> None:
    """Raise Interrupted once the time limit is used up; everything so far is kept."""
    limit = run.config.time_limit_s
    begun = run.journal.last("session")
    if limit and begun and time.time() - begun["time"] > limit:
        raise Interrupted(f"time limit of {limit:.0f} s reached; `surgenas resume {run.folder}` goes on")


def _note(summary: dict[str, Any], limit_ms: float) -> str:
    warming = math.isnan(summary["latency_ms"])
    latency = "weights only" if warming else f"latency {summary['latency_ms'] / limit_ms:.0%} of the limit"
    return f"loss {summary['loss']:.2f}, {latency}"


def _record(run: Run, summary: dict[str, Any]) -> None:
    if not any(e["summary"]["epoch"] == summary["epoch"] for e in run.journal.all("epoch")):
        clean = {k: None if v != v else v for k, v in summary.items()}  # NaN is not JSON
        run.journal.append("epoch", summary=clean)
