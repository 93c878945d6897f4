"""What the steps share about training: one recipe for all networks of a run, and the files that weights go to."""

from __future__ import annotations

from surgenas.runs.results import FOUND, Planned
from surgenas.runs.run import Run
from surgenas.training.loop import Recipe

DEFAULT_EPOCHS, DIGITS_EPOCHS = 60, 18
"""Epochs of a training from scratch if the user does not say; the second number is for the digits data."""


def recipe(run: Run) -> Recipe:
    """The recipe by which all networks of a run are trained; its epochs are those of the plan, if there is one."""
    plan, c = run.result(Planned), run.config
    default = DIGITS_EPOCHS if c.data.source == "digits" else DEFAULT_EPOCHS
    return Recipe(epochs=plan.train_epochs if plan else c.training.epochs or default, batch=c.training.batch)


def weights_file(name: str) -> str:
    """The name of a network's weights file: model.safetensors for the found one,
    models-<name>.safetensors for others."""
    return "model.safetensors" if name == FOUND else f"models-{name.replace(' ', '-')}.safetensors"
