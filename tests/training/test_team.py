"""What several processes train is what one would, but for rounding; and nobody waits for one that is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from surgenas.core.errors import DataError, EnvironmentFault, UsageError
from surgenas.core.progress import Progress
from surgenas.methods import make_method
from surgenas.methods.base import Problem
from surgenas.methods.candidates import HeldOut
from surgenas.methods.shared_weights import SupernetSearch
from surgenas.nn.ranks import Ranks
from surgenas.spaces.single_path import SinglePath
from surgenas.tasks.data import Dataset, load_data
from surgenas.testing import Planted, ZeroPredictor
from surgenas.training import team
from surgenas.training.augment import train_batches
from surgenas.training.fabric import make_fabric
from surgenas.training.loop import Recipe, fit
from surgenas.training.team import Team

METHODS: dict[str, dict[str, Any]] = {
    "surgenas": {"epochs": 2, "warmup": 0.5},
    "single-path": {"epochs": 2, "warmup": 0.5},
    "spos": {"sampler": "fair"},
    "darts": {"order": "second"},
    "fp-nas": {},
}
LONG = ("darts", "fp-nas")
IMAGES = 25
"""In one batch, of which one process has more than the other."""


@contextmanager
def in_double() -> Iterator[None]:
    """Rounding in single precision would put values on the other side of a ReLU's kink."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def problem_of(name: str, held_out: HeldOut) -> Problem:
    space = SinglePath(layout="small", resolution=16, classes=10) if name == "single-path" else Planted()
    few = replace(held_out, images=held_out.images[:41].double(), labels=held_out.labels[:41])
    return Problem(space, 1.0, 0, predictor=ZeroPredictor(space.costs()), steps_per_epoch=1, held_out=few)


def searched(fabric: Fabric, data: Dataset, held_out: HeldOut, *, name: str) -> tuple[list[float], list[torch.Tensor]]:
    """The first epoch and one in which a method learns what to choose: what its steps return, and all that changes."""
    ranks = Ranks(fabric.global_rank, fabric.world_size)
    with in_double():
        search: Any = make_method(name, METHODS[name]).begin(problem_of(name, held_out))
        assert isinstance(search, SupernetSearch)
        found: list[float] = []
        for epoch in range(2):
            found += search.train_epoch(
                epoch, train_batches(data, 25, 0, epoch, rank=ranks.rank, ranks=ranks.count), ranks
            )
    state: list[torch.Tensor] = []
    flatten(search.own_state(), state)
    return found, state


def flatten(value: Any, into: list[torch.Tensor]) -> None:
    if isinstance(value, torch.Tensor):
        into.append(value.double())
    elif isinstance(value, dict):
        for one in value.values():
            flatten(one, into)
    elif isinstance(value, (list, tuple)):
        for one in value:
            flatten(one, into)


def network() -> nn.Module:
    layers = (nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(392, 10))


def fitted(fabric: Fabric, data: Dataset, **own: Any) -> tuple[dict[str, torch.Tensor], list[float]]:
    losses: list[float] = []
    with in_double():
        weights = fit(
            fabric, network, data, Recipe(epochs=2, batch=25), seed=3, on_epoch=lambda e: losses.append(e.loss), **own
        )
    return weights, losses


def complain(fabric: Fabric) -> None:
    if fabric.global_rank:
        raise DataError("a.png cannot be read any more; put it back")
    torch.distributed.all_reduce(torch.ones(1))


def vanish(fabric: Fabric) -> None:
    if fabric.global_rank:
        os.kill(os.getpid(), signal.SIGKILL)
    torch.distributed.all_reduce(torch.ones(1))


@pytest.fixture(scope="module")
def two() -> Iterator[Team]:
    team = Team("cpu", 2)
    yield team
    team.close()


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    return replace(digits, train=digits.train.pick(torch.arange(IMAGES)))


@pytest.fixture(scope="module")
def held_out(digits: Dataset) -> HeldOut:
    images = digits.normalise(digits.test.images[:64])
    return HeldOut(images, images, digits.test.labels[:64], False)


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in METHODS])
def test_a_search_by_two_is_that_by_one(name, two, few, held_out):
    rows, state = searched(make_fabric("cpu"), few, held_out, name=name)
    by_two, state_by_two = two.run(partial(searched, name=name), few, held_out)
    assert by_two == pytest.approx(rows, rel=1e-6, nan_ok=True)  # accuracies are in single precision
    assert len(state) == len(state_by_two) > 20
    for one, other in zip(state, state_by_two, strict=True):
        assert torch.allclose(one, other, rtol=1e-6, atol=1e-6, equal_nan=True)


def test_a_training_by_two_is_that_by_one(two, few):
    weights, losses = fitted(make_fabric("cpu"), few)
    by_two, losses_by_two = two.run(fitted, few)
    assert losses_by_two == pytest.approx(losses, rel=1e-9)
    assert losses[1] < losses[0]
    for name, value in weights.items():
        assert torch.allclose(by_two[name], value, rtol=1e-6, atol=1e-9)


def read_ahead(fabric: Fabric, data: Dataset) -> int:
    """How many images this process gets of an epoch, from processes of its own that decode; all together."""
    batches = train_batches(data, 4, 0, 0, rank=fabric.global_rank, ranks=fabric.world_size)
    counted = torch.tensor(sum(len(labels) for _, labels in batches))
    torch.distributed.all_reduce(counted)
    return int(counted)


@pytest.mark.slow
def test_each_process_decodes_its_own_images_ahead(two, photos, tmp_path):
    data = load_data(
        str(photos), 8, max_corrupt=0.0, cache=tmp_path / "cache", progress=Progress(), memory=0.0, workers=1
    )
    assert two.run(read_ahead, data) == 4 * (len(data.train) // 4) > 4


def test_one_needs_nobody():
    team = Team("cpu")
    assert team.run(lambda fabric, *kept, more: (fabric.world_size, kept, more), 1, 2, more=3) == (1, (1, 2), 3)
    team.check()
    team.close()


def test_what_another_process_cannot_do_is_said_as_it_says_it(two):
    with pytest.raises(DataError, match=r"^a.png cannot be read any more; put it back$"):
        two.run(complain)
    two.close()
    with pytest.raises(EnvironmentFault, match="one of the processes that train together ended by itself, or was kil"):
        two.run(vanish)


def test_whoever_stops_the_leader_does_not_wait_for_the_others(two):
    two.close()
    assert two.run(nothing) is None, "closed, it starts anew"
    with pytest.raises(KeyboardInterrupt):
        two.run(interrupted)
    (other,) = two._others.processes
    two.close()
    assert not other.is_alive()


@pytest.mark.slow
def test_a_process_that_ends_as_it_begins_is_said(monkeypatch):
    monkeypatch.setattr(team, "member", end_at_once)
    broken = Team("cpu", 2)
    with pytest.raises(EnvironmentFault, match="a process that was to train along ended as it began; in a script"):
        broken.run(nothing)
    broken.close()


def end_at_once(*args: object) -> None:
    os._exit(1)


def nothing(fabric: Fabric) -> None:
    pass


def interrupted(fabric: Fabric) -> None:
    """The leader stops while the other waits for it."""
    if fabric.global_rank == 0:
        raise KeyboardInterrupt
    torch.distributed.all_reduce(torch.ones(1))


def test_a_batch_is_for_as_many_processes_as_it_has_images():
    Team("cpu", 3).check_batch(3)
    with pytest.raises(UsageError, match="3 processes share a batch of 2 images; ask for fewer of them or a"):
        Team("cpu", 3).check_batch(2)


def test_torchrun_says_how_many_there_are(monkeypatch):
    said = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "MASTER_ADDR": "a"}
    for name, value in {**said, "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="--processes 3: torchrun started 2 processes; leave it out"):
        Team("cpu", 3)


def test_a_process_that_helps_does_not_run_its_leaders_script(monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(UsageError, match="stands below `if __name__ == "):
        Team("cpu", 2)
    assert Team("cpu").count == 1
