"""What does a node of a Ray cluster do when it trains? The same as an engine here, on what was sent to it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from surgenas.core.work import Judge, Train
from surgenas.engine.here import Here
from surgenas.engine.ray_target import check_version
from surgenas.tasks.data import Images
from surgenas.training.loop import Epoch
from surgenas.training.team import Team


def portable(here: Here) -> Here:
    """The engine without what stays in this process."""
    plain = Here(here.images, here.recipe, here.candidates, here.space, here.seed)
    team = Team(here.team.accelerator)
    return replace(plain, images=None, whole=here.whole, team=team, goes_on=here.goes_on)  # type: ignore[arg-type]


State = tuple[int, dict[str, Any]]
"""A checkpoint: its number, and what it holds."""


@dataclass
class Newest:
    """A store that keeps the newest checkpoint of a training, in memory."""

    state: State | None

    def save(self, number: int, state: dict[str, Any]) -> None:
        self.state = (number, state)

    def load(self) -> State | None:
        return self.state


def train_there(
    here: Here, images: Images, work: Train | Judge, start: bytes | None, stands: State | None, threads: int,
    expected: str,
) -> tuple[Any, list[Epoch], State | None]:  # fmt: skip
    """On a node: the result of a training, its epochs, and the checkpoint of a candidate that may train on.

    start: the content of the file that it begins with. stands: the checkpoint that it goes on from."""
    check_version(expected)
    torch.set_num_threads(threads)  # Ray sets OMP_NUM_THREADS, which a worker that has computed before does not hear
    epochs: list[Epoch] = []
    newest = Newest(stands)
    engine = replace(here, images=images, on_epoch=lambda _, epoch: epochs.append(epoch))
    if here.goes_on:
        engine = replace(engine, store=lambda _: newest)
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(work, Train) and work.start and start is not None:
            file = Path(folder) / "start.safetensors"
            file.write_bytes(start)
            work = replace(work, start=replace(work.start, file=str(file)))
        return engine.perform(work), epochs, newest.state if isinstance(work, Judge) else None
