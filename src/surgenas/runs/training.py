"""What the steps share about training: one recipe for all networks of a run, and the files that weights go to."""

from __future__ import annotations

from dataclasses import replace

from surgenas.runs.names import FOUND
from surgenas.runs.results import Planned, Scheduled
from surgenas.runs.run import Run
from surgenas.training.loop import Recipe

DEFAULT_EPOCHS, DIGITS_EPOCHS = 60, 18
"""Epochs of a training from scratch if the user does not say; the second number is for the digits data."""
BEGUN_EPOCHS = 10
"""Epochs of a training that begins with trained weights."""
LEAST_EPOCHS = 2
"""Fewer are of no use."""
SMALL_RATE = 0.02
"""The learning rate for trained weights."""
START_SHARE = 0.3
"""The whole network is made ready in this share of the epochs of a final training."""


def recipe(run: Run) -> Recipe:
    """The recipe by which all networks of a run are trained. Its epochs are those that a time limit has left; before
    that those of the plan, if there is one."""
    decided, t = run.result(Scheduled) or run.result(Planned), run.config.training
    return Recipe(
        epochs=decided.train_epochs if decided else wanted_epochs(run), batch=t.batch, cutout=t.cutout,
        drop_path=t.drop_path, auxiliary=t.auxiliary, precision=t.precision,
    )  # fmt: skip


def wanted_epochs(run: Run) -> int:
    """Epochs of the final trainings as configured, or by default, if there is time for them. Longer ones than by
    default were of no use (docs/lab.md)."""
    if run.config.training.epochs:
        return run.config.training.epochs
    if run.config.training.weights:
        return BEGUN_EPOCHS
    return DIGITS_EPOCHS if run.config.data.source == "digits" else DEFAULT_EPOCHS


def fine_tuning(run: Run) -> Recipe:
    """The recipe for networks that begin with trained weights: the same, at a small rate."""
    return replace(recipe(run), lr=SMALL_RATE, distill=run.config.training.distill)


def start_recipe(run: Run) -> Recipe:
    """How the whole network is made ready for the images of a run that begins with weights."""
    usual = recipe(run)
    epochs = max(1, round(START_SHARE * usual.epochs))
    return Recipe(epochs=epochs, batch=usual.batch, lr=SMALL_RATE, precision=usual.precision)


def weights_file(name: str) -> str:
    """The name of a network's weights file: model.safetensors for the found one,
    models-<name>.safetensors for others."""
    return "model.safetensors" if name == FOUND else f"models-{name.replace(' ', '-')}.safetensors"
