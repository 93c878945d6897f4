"""Shared fixtures: a private measurement store, small images, few threads."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from surgenas.core.progress import Progress
from surgenas.spaces.mobile import Mobile
from surgenas.tasks.data import Dataset, load_data


@pytest.fixture(scope="session", autouse=True)
def _imported_for_good() -> Iterator[None]:
    """Campaigns collect garbage before they time: what was imported once need not be looked through by each."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURGENAS_HOME", str(tmp_path_factory.getbasetemp() / "home"))


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)  # a runtime that is prepared here, and not in a process of its own, sets them


class Listener(Progress):
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def log(self, message: str) -> None:
        self.said.append(message)

    def detail(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="session")
def small() -> Mobile:
    """The small layout at its cheapest."""
    return Mobile(layout="small", resolution=16, classes=10)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    cache = tmp_path_factory.mktemp("cache")
    return load_data("digits", 16, max_corrupt=0.0, cache=cache, progress=Progress())


@pytest.fixture(scope="session")
def few_digits(digits: Dataset) -> Dataset:
    """The digits with 320 images to learn from: enough for what must hold whether anything is learnt or not."""
    return replace(digits, train=digits.train.pick(torch.arange(320)))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of ten noisy 20 x 24 images: dark ones and bright ones."""
    rng = np.random.default_rng(0)
    for name, level in (("dark", 60), ("bright", 190)):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(level - 50, level + 50, size=(20, 24, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "photos"
