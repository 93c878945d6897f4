"""Train one architecture from scratch, outside of a run."""

from __future__ import annotations

from torch import Tensor

from surgenas.core.architecture import Architecture
from surgenas.core.errors import UsageError
from surgenas.core.progress import Progress
from surgenas.pipeline.checkpoint import Checkpoints
from surgenas.spaces import space_of
from surgenas.training.data import load_data
from surgenas.training.loop import Recipe, accuracy, fit, make_fabric


def trained(
    arch: Architecture,
    data: str,
    checkpoints: Checkpoints,
    epochs: int,
    progress: Progress,
    *,
    batch: int = 64,
    seed: int = 0,
    accelerator: str = "auto",
) -> tuple[dict[str, Tensor], float]:
    """(weights, accuracy on the test part); goes on from the newest checkpoint. Raises UsageError if the data have
    another number of classes."""
    space = space_of(arch)
    cache = checkpoints.folder.parent / "cache"
    images = load_data(data, space.input_shape[1], seed=seed, max_corrupt=0.05, cache=cache, progress=progress)
    wanted = dict(arch.space.settings)["classes"]
    if wanted != len(images.classes):
        raise UsageError(f"the architecture is for {wanted} classes, {data} has {len(images.classes)}")
    with progress.task("train", epochs, (checkpoints.numbers() or [0])[-1]) as task:
        state = fit(
            make_fabric(accelerator, 1),
            lambda: space.build(arch),
            images,
            Recipe(epochs=epochs, batch=batch),
            seed=seed,
            checkpoints=checkpoints,
            on_epoch=lambda e: task.advance(f"loss {e.loss:.2f}"),
        )
    network = space.build(arch)
    network.load_state_dict(state)
    return state, accuracy(network, images, images.test)
