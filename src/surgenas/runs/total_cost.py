"""What did it take to find a network and to train it? Image passes, which are the same on every machine."""

from __future__ import annotations

from surgenas.core.capabilities import Shrinks
from surgenas.methods import make_method
from surgenas.methods.drawn import Drawn
from surgenas.runs.names import FOUND
from surgenas.runs.results import Derived, Planned, Started, TotalCost
from surgenas.runs.run import Run
from surgenas.runs.searching import Searching
from surgenas.runs.training import recipe
from surgenas.runs.whole import meets_limit_whole
from surgenas.spaces import make_space
from surgenas.training.augment import steps_per_epoch

FORWARD, FORWARD_ALONE = 0.08, 0.25
"""Judging an image takes this share of the time that training on it takes: where candidates share computed prefixes,
and where each is a network by itself."""
USUAL = "surgenas"
"""The method that the cost of other methods is compared with."""
WANTED = ("operators", "reach", "profile", "predict", "start", "search", "derive", f"train {FOUND}")
"""The steps that the found network needs."""


def judging_passes(searching: Searching) -> float:
    """Images that the search passes to judge candidates, in passes of training."""
    held = searching.held_out
    judged = len(held.images) + len(held.calibration) if held else 0
    alone = isinstance(searching.run.space, Shrinks) or searching.needs.after
    return searching.needs.judged * judged * (FORWARD_ALONE if alone else FORWARD)


def search_passes(searching: Searching, epochs: int) -> int:
    """Images that the search passes to train: shared weights in so many epochs, or the candidates that it trained."""
    needs, batch = searching.needs, searching.run.config.training.batch
    wanted = _trained_epochs(searching) if needs.trained else epochs * needs.passes
    return searching.steps_per_epoch * batch * (wanted + needs.after) + needs.short * batch


def _trained_epochs(searching: Searching) -> int:
    """Epochs that candidates were trained by themselves; beside those that the found network's training begins with."""
    rungs, run = searching.rungs, searching.run
    if not searching.needs.goes_on:
        return sum(rungs[trial["rung"]] for trial in run.journal.all("trial"))
    longest = {tuple(trial["genes"]): rungs[trial["rung"]] for trial in run.journal.all("trial")}
    found = run.result(Derived)
    return sum(epochs for genes, epochs in longest.items() if not found or genes != found.architecture.genes)


def total_cost(run: Run) -> TotalCost:
    """The cost of the found network, once it is trained."""
    searching, planned, started = Searching(run), run.result(Planned), run.result(Started)
    assert planned is not None, "it is planned before it is trained"
    batch, epochs = run.config.training.batch, recipe(run).epochs
    ready = started.epochs * len(run.images.search.train) if started else 0
    searched = not meets_limit_whole(run)
    return TotalCost(
        search=(search_passes(searching, planned.epochs) if searched else 0) + ready,
        judging=round(judging_passes(searching)) if searched else 0,
        training=epochs * steps_per_epoch(run.data, batch) * batch,
        train_epochs=epochs,
    )


def describe_search(run: Run, planned: Planned) -> str:
    """How much work the search is, in words, and beside it how much SurgeNAS does by default."""
    searching = Searching(run)
    needs = searching.needs
    if not needs.searches:
        if run.asked_method.name == Drawn.name or meets_limit_whole(run):
            return "no search"
        return "no search, since its time is worth more to the trainings (--epochs N searches all the same)"
    if not needs.shares:
        if needs.goes_on:
            return f"candidates that are trained on for up to {planned.epochs} epochs"
        return f"{needs.trained} candidates of {planned.epochs} epochs each"
    text = f"{planned.epochs} epochs of search"
    if run.asked_method.name == USUAL:
        return text
    usual = make_method(USUAL, {})
    others = usual.needs(make_space(usual.default_space, {}))
    share = planned.epochs * needs.passes / (searching.default_epochs(others) * others.passes)
    return f"{text} ({share:.2g} x the image passes of SurgeNAS by default)"
