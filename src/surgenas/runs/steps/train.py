"""Trains the found network and its rivals, all by the same recipe."""

from __future__ import annotations

from dataclasses import asdict, replace

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.progress import Task
from surgenas.core.seeds import derive
from surgenas.core.work import Train, Weights
from surgenas.methods.base import HoldsWeights
from surgenas.nn.weights import save_weights
from surgenas.runs.results import FOUND, Accuracy
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.runs.training import recipe, weights_file
from surgenas.training.loop import Epoch


def networks(run: Run) -> dict[str, Architecture]:
    """All architectures that are trained, by name; the found one comes first."""
    return {FOUND: run.derived.architecture, **run.rivals.architectures}


def train(run: Run, name: str, arch: Architecture) -> Accuracy:
    """Train one network and report its accuracy on the test part, which no decision has used."""
    folder, epochs = f"train-{name.replace(' ', '-')}", recipe(run).epochs
    checkpoints = run.checkpoints(folder)
    with run.progress.task(f"train {name}", epochs, (checkpoints.numbers() or [0])[-1]) as task:
        engine = replace(
            Searching(run).engine, processes=run.config.training.processes, store=run.checkpoints,
            on_epoch=lambda _, epoch: _note(run, name, task, epoch),
        )  # fmt: skip
        seed = derive(run.config.seed, "train")  # the same for all: they differ in the architecture alone
        found = engine.perform(Train(folder, arch, seed, _start(run, name, arch)))
    save_weights(run.folder / weights_file(name), found.weights)
    run.progress.log(f"{name}: test accuracy {found.accuracy:.2%}")
    return Accuracy(found.accuracy, found.classes.balanced_accuracy, found.classes if name == FOUND else None)


def _start(run: Run, name: str, arch: Architecture) -> Weights | None:
    """The weights that the search has trained for the architecture, as a file of the run; None for fresh ones, which a
    network of another space always gets."""
    if run.config.training.start == "fresh" or arch.space != run.space.spec:
        return None
    search = Searching(run).go_on()
    if not isinstance(search, HoldsWeights):
        raise UsageError(
            f"--start inherit: the search of {run.config.method.name} does not hand on weights (`weights_of`); start a "
            "new run without it"
        )
    return save_weights(run.folder / f"start-{weights_file(name)}", search.weights_of(arch))


def _note(run: Run, name: str, task: Task, epoch: Epoch) -> None:
    """After each epoch: write the journal, and advance the progress bar."""
    if not run.journal.all("trained", network=name, epoch=epoch.epoch):
        run.journal.append("trained", network=name, **asdict(epoch))
    task.advance(f"loss {epoch.loss:.2f}")
