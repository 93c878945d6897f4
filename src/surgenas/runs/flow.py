"""The main job, from images to an exported network, in the order of its stages."""

from __future__ import annotations

import time

from surgenas.core.files import write_atomic
from surgenas.core.units import show_ms, show_seconds
from surgenas.methods.surgenas import SurgeNAS
from surgenas.runs.run import Run
from surgenas.runs.steps.derive import derive
from surgenas.runs.steps.export import export, verify
from surgenas.runs.steps.operators import choose_operators
from surgenas.runs.steps.plan import Plan, plan
from surgenas.runs.steps.predict import predict
from surgenas.runs.steps.profile import profile
from surgenas.runs.steps.reach import reach
from surgenas.runs.steps.search import check_names, default_epochs, method_class, search_data
from surgenas.runs.steps.train import train_all
from surgenas.spaces import make_space
from surgenas.training.augment import steps_per_epoch


def prepare(run: Run) -> tuple[dict[str, float], Plan]:
    """What is cheap and can go wrong, first: settings, images, device, reachable latencies, time and memory."""
    run.journal.append("session", time=time.time())
    choose_operators(run)
    check_names(run)
    for note in run.data.notes:
        run.progress.log(note)
    run.progress.log(
        f"{run.data.name}: {len(run.data.train)} images to learn from, {len(run.data.test)} kept aside for the final "
        f"test, {len(run.data.classes)} classes, {run.data.resolution} px"
    )
    reached, planned = reach(run), plan(run)
    run.progress.log(
        f"limit {show_ms(reached['limit_ms'])} on {run.target.name} (reachable {show_ms(reached['low_ms'])} to "
        f"{show_ms(reached['high_ms'])}); {cost(run, planned)}, {planned.train_epochs} epochs of training; "
        f"about {show_seconds(planned.total_s)}"
    )
    return reached, planned


def cost(run: Run, planned: Plan) -> str:
    """What the search will take, beside SurgeNAS's by default."""
    steps = steps_per_epoch(search_data(run), run.config.batch)
    kind = method_class(run)
    text = f"{planned.epochs} epochs of search ({planned.epochs * steps} steps of {kind.passes(run.space)} passes"
    if kind is SurgeNAS:
        return text + ")"
    usual = default_epochs(run, SurgeNAS)
    passes = SurgeNAS.passes(make_space(SurgeNAS.default_space, {}))
    return text + f"; SurgeNAS by default {usual} epochs, {usual * steps} steps of {passes})"


def execute(run: Run) -> None:
    """Everything that is not done yet."""
    with run.exclusive():
        reached, _ = prepare(run)
        limit_ms = reached["limit_ms"]
        profile(run)
        predict(run)
        found = derive(run, limit_ms)  # searches first
        write_atomic(run.folder / "architecture.json", found.to_json().encode())
        train_all(run, found)
        export(run, found)
        verify(run, found, limit_ms)
