"""Makes the whole network ready for the images, before smaller versions of it are looked for."""

from __future__ import annotations

from functools import partial

import torch

from surgenas.core.capabilities import Shrinks, require
from surgenas.core.progress import Task
from surgenas.core.seeds import derive
from surgenas.engine.here import fit_part
from surgenas.nn.loaded import Loaded
from surgenas.nn.statistics import CALIBRATION, estimate_statistics
from surgenas.nn.weights import save_weights
from surgenas.runs.limit import Timely
from surgenas.runs.names import START
from surgenas.runs.results import Started
from surgenas.runs.run import Run
from surgenas.runs.training import start_recipe
from surgenas.runs.whole import read_whole
from surgenas.tasks.classification import score
from surgenas.training.loop import Epoch


def start(run: Run) -> Started | None:
    """Train the whole network for a few epochs on the images that the search may train on, and sort its channels.

    None for a run from nothing. The images that the search judges by, and those of the test part, are not seen.
    """
    if not run.config.training.weights:
        return None
    space, recipe, data = require(run.space, Shrinks), start_recipe(run), run.images.search
    checkpoints = run.checkpoints("start")
    calibration = data.normalise(data.train.spaced(CALIBRATION).images[:])
    read: list[Loaded] = []

    def build() -> torch.nn.Module:
        whole, loaded = read_whole(run)
        read.append(loaded)
        estimate_statistics(whole, calibration)
        return whole.train()

    with run.progress.task("start", recipe.epochs, (checkpoints.numbers() or [0])[-1]) as task:
        seed = derive(run.config.seed, "start")
        together = partial(fit_part, part="search", side=data.resolution, build=space.whole, recipe=recipe, seed=seed)
        weights = run.workforce.team.run(
            together, run.images, build=build, checkpoints=checkpoints, on_epoch=partial(_note, task),
            on_batch=Timely(run).check,
        )  # fmt: skip
    whole = space.whole()
    whole.load_state_dict(weights)
    space.sort(whole)
    estimate_statistics(whole, calibration)  # some networks learn them too slowly for so few epochs
    saved = save_weights(run.folder / START, whole.state_dict())
    accuracy = score(whole, data, run.images.aside) if run.images.aside else None
    said = "" if accuracy is None else f", {accuracy:.1%} on images held out"
    fresh = ", its classifier is new" if read[0].fresh else ""
    run.progress.log(
        f"whole network: {read[0].tensors} tensors of {read[0].source}{fresh}; {recipe.epochs} epochs{said}"
    )
    return Started(read[0], saved.digest, recipe.epochs, accuracy)


def _note(task: Task, epoch: Epoch) -> None:
    task.advance(f"loss {epoch.loss:.2f}")
