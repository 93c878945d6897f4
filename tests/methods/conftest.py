"""What tests of methods share: scores that are the same for everybody, and the loop that asks and tells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.space import Space
from surgenas.core.trial import Trial
from surgenas.methods.candidates import HeldOut
from surgenas.methods.sampling import Sampling
from surgenas.spaces.macro import Macro
from surgenas.tasks.data import Dataset, hold_out

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
    return data, HeldOut(calibration, data.normalise(aside.images), aside.labels)
