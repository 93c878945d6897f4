"""The main job, from images to an exported network, in the order of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from surgenas.core.architecture import Architecture
from surgenas.core.capabilities import Shrinks, require
from surgenas.core.files import write_atomic
from surgenas.core.record import Record
from surgenas.core.units import show_ms, show_seconds
from surgenas.runs.checks import check_names
from surgenas.runs.journal import Event
from surgenas.runs.limit import begin_session, check_time
from surgenas.runs.measured import repair_scale
from surgenas.runs.names import FOUND, START, USE
from surgenas.runs.outcome import say_done
from surgenas.runs.outlook import seconds_left
from surgenas.runs.resources import check_resources
from surgenas.runs.results import Accuracy, Exported, Planned, Reached
from surgenas.runs.run import Run
from surgenas.runs.scale import RESCALED
from surgenas.runs.searching import Searching
from surgenas.runs.slowdown import asked_percentile, describe_limit, with_slowdown
from surgenas.runs.steps.derive import derive
from surgenas.runs.steps.export import export
from surgenas.runs.steps.operators import choose_operators
from surgenas.runs.steps.plan import plan
from surgenas.runs.steps.predict import predict
from surgenas.runs.steps.profile import holds, profile
from surgenas.runs.steps.reach import check_limit, reach
from surgenas.runs.steps.rivals import rivals
from surgenas.runs.steps.schedule import schedule
from surgenas.runs.steps.search import search
from surgenas.runs.steps.size import size
from surgenas.runs.steps.start import start
from surgenas.runs.steps.train import expect_trainings, networks, train, trained_files
from surgenas.runs.steps.verify import say_claim, verify
from surgenas.runs.total_cost import describe_search, total_cost
from surgenas.runs.training import recipe
from surgenas.runs.whole import meets_limit_whole
from surgenas.training.fabric import check_accelerator

REOPENED = 3
"""How often a network is looked for again because the scale was repaired."""


@dataclass(frozen=True)
class Step:
    """A step of a run.

    name: what the journal calls it. work: does the step and returns its result; None if it does not apply to this run.
    files: from the result, the names of what it wrote into the run folder, or measured of it; it is done again if one
    is no longer what it was.
    holds: whether its recorded result can still be built on; it is done again if not.
    applies: whether the run needs it.
    """

    name: str
    work: Callable[[Run], Record | None]
    files: Callable[[Run, Record | None], Sequence[str]] = lambda *_: ()
    holds: Callable[[Run], bool] = lambda run: True
    applies: Callable[[Run], bool] = lambda run: True


def _looks(run: Run) -> bool:
    return not meets_limit_whole(run)


def _searches(run: Run) -> bool:
    return _looks(run) and Searching(run).needs.searches


REACH = Step("reach", reach)
CHEAP = (Step("size", size), Step("operators", choose_operators), REACH, Step("plan", plan))
"""The steps in their order: CHEAP ones take seconds to minutes, LONG ones follow, COST is counted once the found
network is trained, and LAST ones come after all trainings."""
LONG = (
    Step("profile", profile, holds=holds, applies=_looks), Step("predict", predict, applies=_looks),
    Step("start", start, lambda _, found: (START,) if found else ()), Step("search", search, applies=_searches),
    Step("derive", derive), Step("rivals", rivals), Step("schedule", schedule),
)  # fmt: skip


def _exported_files(run: Run, found: Record | None) -> Sequence[str]:
    assert isinstance(found, Exported)
    return (USE, *found.files)


def _measured_files(run: Run, found: Record | None) -> Sequence[str]:
    exported = run.result(Exported)
    return tuple(exported.delivered.digests) if exported and exported.delivered else ()


COST = Step("cost", total_cost)
LAST = (Step("export", export, _exported_files), Step("verify", verify, _measured_files))


def perform(run: Run, step: Step) -> None:
    """Do a step unless it is done already, and record its result. Raises Interrupted if the run's time is up."""
    applies = step.applies(run)
    if run.is_done(step.name) and (not applies or step.holds(run)):
        return
    check_time(run)
    with run.timed(step.name):
        found = step.work(run) if applies else None
    run.record(step.name, found, step.files(run, found))
    say_done(run, step.name, found)
    repair_scale(run)


def prepare(run: Run) -> tuple[Reached, Planned]:
    """Do first what is cheap and may fail: settings, images, device, reachable latencies, time and memory."""
    check_accelerator(run.config.training.accelerator, run.config.training.processes)
    _ = run.target  # what is not there is refused before images are read
    size_, operators, reach_, plan_ = CHEAP
    perform(run, size_)
    perform(run, operators)
    check_names(run)
    run.progress.log(
        f"{run.data.name}: {len(run.data.train)} images to learn from, {len(run.data.test)} kept aside for the final "
        f"test, {len(run.data.classes)} classes, {run.data.resolution} px"
    )
    if run.config.training.weights:
        run.progress.log(require(run.space, Shrinks).describe())
    perform(run, reach_)
    if not run.is_done("derive"):  # a scale that was repaired later may have moved all latencies above the limit
        check_limit(run)
    perform(run, plan_)
    planned = run.result(Planned)
    assert planned is not None, "it was just recorded"
    if (limit_s := run.config.time_limit_s) and planned.total_s > limit_s:
        run.progress.log(
            f"--time-limit {show_seconds(limit_s)} is too short even for what is least of use, which takes about "
            f"{show_seconds(planned.total_s)}; the run will stop there, and `surgenas resume` goes on"
        )
    return run.reached, planned


def say_plan(run: Run, reached: Reached, planned: Planned) -> None:
    """Tell a person what the run is going to do, and how long it will take from here."""
    whole = f"about {show_seconds(planned.total_s)}"
    left = f"about {show_seconds(seconds_left(run) or 0.0)} left" if run.is_done(LONG[0].name) else whole
    run.progress.log(
        f"limit {describe_limit(run)} on {run.target.name} (reachable {show_ms(reached.low_ms)} to "
        f"{show_ms(reached.high_ms)}); {describe_search(run, planned)}, {recipe(run).epochs} epochs of training; {left}"
    )


def measure_profile(run: Run) -> None:
    """Do the steps before `predict`: reachable latencies, and the measuring of sampled networks."""
    begin_session(run)
    check_resources(run)
    perform(run, REACH)
    check_limit(run)
    perform(run, LONG[0])


def settle_limit(run: Run) -> None:
    """Once many networks are measured, set a limit that is for a percentile anew: it hangs on how busy the machine is.

    Raises LimitError if it cannot be met."""
    settled = with_slowdown(run, run.reached)
    if settled != run.reached and not run.is_done("predict"):
        run.record("reach", settled)
        run.progress.log(f"as runs come here, the limit is {describe_limit(run)}")
        check_limit(run)


def fit_predictor(run: Run) -> None:
    """Do the step `predict`: choose a latency predictor from what was measured."""
    begin_session(run)
    perform(run, LONG[1])


def parted_from_limit(run: Run) -> bool:
    """Whether the scale was repaired after a network was found for a limit that the user asked for in milliseconds, so
    that another is to be found. Once that is trained, it stays, and so it does after REOPENED such turns."""
    events = [e["event"] for e in run.journal.events if e["event"] == RESCALED or "derive" in _steps(e)]
    trained = run.accuracy(FOUND) is not None or len(run.journal.all("reopened")) >= REOPENED
    asked = run.reached.asked_ms is not None and asked_percentile(run) is None  # a percentile is of the wall clock
    return asked and RESCALED in events[-1:] and not trained


def _steps(event: Event) -> Sequence[str]:
    return event.get("steps") or [event.get("step", "")]


def execute(run: Run, time_limit_s: float | None = None) -> None:
    """Do every step of the run that is not done yet. time_limit_s: as in `begin_session`."""
    with run.exclusive(), closing(run.workforce):
        begin_session(run, time_limit_s)
        say_plan(run, *prepare(run))
        for step in LONG:
            perform(run, step)
            if step.name == "profile" and _looks(run):
                settle_limit(run)
        while parted_from_limit(run):
            run.reopen(*(step.name for step in LONG[-3:]))  # derive, rivals and schedule
            for step in LONG[-3:]:
                perform(run, step)
        write_atomic(run.folder / "architecture.json", run.derived.architecture.to_json().encode())
        expect_trainings(run)
        for name, arch in networks(run).items():
            perform(run, training(name, arch))
            if name == FOUND:
                perform(run, COST)
                expect_trainings(run)  # of those that are as long as that
        for step in LAST:
            perform(run, step)
        say_claim(run)


def training(name: str, arch: Architecture) -> Step:
    """The step that trains a network of the run."""

    def files(run: Run, found: Record | None) -> Sequence[str]:
        assert isinstance(found, Accuracy)
        return trained_files(name, found)

    return Step(f"train {name}", partial(train, name=name, arch=arch), files)
