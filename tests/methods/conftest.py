"""What tests of methods share: scores that are the same for everybody, and the loop that asks and tells."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.core.work import Epochs
from surgenas.methods.candidates import HeldOut
from surgenas.methods.sampling import Sampling
from surgenas.spaces.macro import Macro
from surgenas.tasks.data import Dataset, hold_out
from surgenas.training.augment import train_batches

Score = Callable[[Architecture], float]


@pytest.fixture(scope="session")
def macro() -> Macro:
    return Macro()


@pytest.fixture(scope="session")
def score(macro: Macro) -> Score:
    """As many of the largest operator as there are, the last layer counting twice."""

    def of(arch: Architecture) -> float:
        places = moves.indices(macro, arch)
        return float(sum(places) + places[-1])

    return of


@pytest.fixture(scope="session")
def go(macro: Macro, score: Score) -> Callable[..., list[Trial]]:
    """A method in a loop until it was told so many scores: its history."""

    def run(method: Sampling, queries: int, seed: int = 0, judge: Score = score, space: Space = macro) -> list[Trial]:
        search = method.start(space, np.random.default_rng(seed))
        while len(search.history) < queries:
            for arch in search.ask(method.batch):
                search.tell(Trial.of(space, arch, judge(arch)))
        return search.history

    return run


@pytest.fixture(scope="session")
def halves(digits: Dataset) -> tuple[Dataset, HeldOut]:
    """The digits without what is held out, and what paths of a supernet are judged by."""
    data, aside = hold_out(digits, 0.2, 2000, 0)
    calibration = data.normalise(data.train.images[::5][:128])
    return data, HeldOut(calibration, data.normalise(aside.images[:]), aside.labels)


@pytest.fixture(scope="session")
def ones() -> Callable[[Sequence[Architecture]], np.ndarray]:
    """A latency of one millisecond, whatever the network."""
    return lambda archs: np.ones(len(archs))


@pytest.fixture(scope="session")
def run(halves: tuple[Dataset, HeldOut]) -> Callable[[Any, int, int], None]:
    """Trains the weights of a search from one epoch up to another."""

    def train(search: Any, first: int, last: int) -> None:
        for epoch in range(first, last):
            search.tell(Epochs(epoch), train_batches(halves[0], 64, 0, epoch))

    return train


@pytest.fixture(scope="session")
def differing() -> Callable[[nn.Module, nn.Module], list[str]]:
    """The names of the parameters and buffers in which two modules of one build differ."""

    def of(one: nn.Module, other: nn.Module) -> list[str]:
        pairs = zip(one.state_dict().items(), other.state_dict().values(), strict=True)
        return [name for (name, mine), theirs in pairs if not torch.equal(mine, theirs)]

    return of


class Mute(nn.Module):
    """In place of a supernet: keeps the paths that it is asked to run."""

    def __init__(self) -> None:
        super().__init__()
        self.bias, self.paths = nn.Parameter(torch.zeros(10)), []

    def at(self, images: Tensor, path: Sequence[int]) -> Tensor:
        self.paths.append(tuple(path))
        return self.bias.expand(len(images), -1)


@pytest.fixture(scope="session")
def paths_of(halves: tuple[Dataset, HeldOut]) -> Callable[[Any, Iterable[int]], list[tuple[int, ...]]]:
    """The paths that a search draws in these steps; the search stays as it is."""

    def draw(search: Any, steps: Iterable[int]) -> list[tuple[int, ...]]:
        images, labels = next(train_batches(halves[0], 8, 0, 0))
        plain, search.supernet = search.supernet, Mute()
        for index in steps:
            search.step(images, labels, index)
        found, search.supernet = search.supernet.paths, plain
        return found

    return draw


@pytest.fixture(scope="session")
def check_going_on(
    halves: tuple[Dataset, HeldOut], ones: Callable[..., np.ndarray], differing: Callable[..., list[str]]
) -> Callable[[Callable[[], Any]], None]:
    """Checks that a search of two epochs that is interrupted after either has the same weights and proposes the same.

    It is given what makes such a search; an epoch is five batches.
    """

    def run(search: Any, first: int, last: int) -> None:
        for epoch in range(first, last):
            search.tell(Epochs(epoch), islice(train_batches(halves[0], 64, 0, epoch), 5))

    def check(make: Callable[[], Any]) -> None:
        whole, saved = make(), {}
        for cut in (1, 2):
            run(whole, cut - 1, cut)
            saved[cut] = copy.deepcopy(whole.state_dict())
        for cut, state in saved.items():
            again = make()
            again.load_state_dict(state)
            run(again, cut, 2)
            assert differing(whole.supernet, again.supernet) == []
            proposed = [m.propose(ones, (0.0, 2.0), 3, np.random.default_rng(1)) for m in (whole, again)]
            assert proposed[0] == proposed[1]

    return check
