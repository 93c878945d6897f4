"""Trains the found network and its rivals, all by the same recipe."""

from __future__ import annotations

from dataclasses import asdict, replace

from torch import Tensor

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.files import write_atomic
from surgenas.core.progress import Task
from surgenas.core.seeds import derive
from surgenas.core.work import Judge, Train, Weights
from surgenas.engine.base import Engine
from surgenas.engine.here import TRAINING
from surgenas.engine.jobs import begun_network
from surgenas.methods.base import HoldsWeights
from surgenas.nn.weights import save_weights
from surgenas.runs.names import FOUND, MISJUDGED, NOTHING, is_as_long
from surgenas.runs.results import Accuracy, TotalCost
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.runs.training import fine_tuning, recipe, weights_file
from surgenas.runs.whole import meets_limit_whole, whole_weights
from surgenas.tasks.misjudged import thumbnails
from surgenas.training.loop import Epoch, Recipe


def networks(run: Run) -> dict[str, Architecture]:
    """All architectures that are trained, by name; the found one comes first."""
    return {FOUND: run.derived.architecture, **run.rivals.architectures}


def expect_trainings(run: Run) -> None:
    """Have all trainings begin that are not done, if a cluster has room for several at once."""
    if run.workforce.cluster is None:
        return
    for name, arch in networks(run).items():
        if not run.is_done(f"train {name}") and (run.result(TotalCost) or not is_as_long(name)):
            engine, work = _asked(run, name, arch, Task())
            engine.expect([work])


def train(run: Run, name: str, arch: Architecture) -> Accuracy:
    """Train one network and report its accuracy on the test part, which no decision has used."""
    done = (run.checkpoints(_folder(run, name, arch)).numbers() or [0])[-1]
    with run.progress.task(f"train {name}", _recipe(run, name, arch).epochs, done) as task:
        engine, work = _asked(run, name, arch, task)
        found = engine.perform(work)
    save_weights(run.folder / weights_file(name), found.weights)
    if name != FOUND:
        return Accuracy(found.accuracy, found.classes.balanced_accuracy)
    if found.misjudged:
        images = run.data.test.images[[one.index for one in found.misjudged]]
        write_atomic(run.folder / MISJUDGED, thumbnails(images))
    return Accuracy(found.accuracy, found.classes.balanced_accuracy, found.classes, found.misjudged)


def _asked(run: Run, name: str, arch: Architecture, task: Task) -> tuple[Engine, Train]:
    """What trains a network, and what is asked of it."""
    engine = replace(
        Searching(run).engine, recipe=_recipe(run, name, arch), store=run.checkpoints,
        on_epoch=lambda _, epoch: _note(run, name, task, epoch),
    )  # fmt: skip
    seed = derive(run.config.seed, TRAINING)
    return run.workforce.placed(engine), Train(_folder(run, name, arch), arch, seed, _start(run, name, arch))


def _folder(run: Run, name: str, arch: Architecture) -> str:
    """Which checkpoints are the training's own: those of the candidate, if the search has begun to train it."""
    if name == FOUND and Searching(run).needs.goes_on:
        return Judge(arch).name
    return f"train-{name.replace(' ', '-')}"


def trained_files(name: str, found: Accuracy) -> tuple[str, ...]:
    """The names of the files that the training of a network wrote into the run's folder."""
    return (weights_file(name), *((MISJUDGED,) if found.misjudged else ()))


def _recipe(run: Run, name: str, arch: Architecture) -> Recipe:
    """A network that begins with trained weights learns at a small rate, one that is trained as long as the found one
    took has as many epochs, and one of another space has no paths that can be dropped and no second classifier."""
    found = fine_tuning(run) if run.config.training.weights and name != NOTHING else recipe(run)
    if is_as_long(name):
        cost = run.result(TotalCost)
        assert cost is not None, "the found network was trained before"
        found = replace(found, epochs=cost.epochs)
    return found if arch.space.name == run.space.name else replace(found, drop_path=0.0, auxiliary=0.0)


def _start(run: Run, name: str, arch: Architecture) -> Weights | None:
    """The weights that a training begins with, as a file of the run; None for fresh ones."""
    whole = whole_weights(run)
    if whole is None and run.config.training.start == "fresh":
        return None
    if name == NOTHING or (whole is None and arch.space != run.space.spec):
        return None
    if whole is None or (name == FOUND and not meets_limit_whole(run)):
        found = _searched(run, arch)
    else:
        found = begun_network(arch, run.space, whole).state_dict()
    return save_weights(run.folder / f"start-{weights_file(name)}", found)


def _searched(run: Run, arch: Architecture) -> dict[str, Tensor]:
    """The weights that the search has trained for the architecture; else its part of the whole network's."""
    search, whole = Searching(run).go_on(), whole_weights(run)
    if isinstance(search, HoldsWeights):
        return search.weights_of(arch)
    if whole is None:
        raise UsageError(
            f"--start inherit: the search of {run.config.method.name} does not hand on weights (`weights_of`); start a "
            "new run without it"
        )
    return begun_network(arch, run.space, whole).state_dict()


def _note(run: Run, name: str, task: Task, epoch: Epoch) -> None:
    """After each epoch: write the journal, and advance the progress bar."""
    if not run.journal.all("trained", network=name, epoch=epoch.epoch):
        run.journal.append("trained", network=name, **asdict(epoch))
    task.advance(f"loss {epoch.loss:.2f}")
