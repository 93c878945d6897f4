"""Whole runs and half ones that are made once and copied by who changes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import surgenas
from surgenas.core.progress import Progress
from surgenas.nn.named import make_network
from surgenas.nn.weights import save_weights
from surgenas.runs.config import make_config
from surgenas.runs.flow import fit_predictor, measure_profile, prepare
from surgenas.runs.run import Run
from surgenas.runs.steps.export import export
from tests.runs.written import TINY, TOY, new_run, pictures, trained


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of tiny images."""
    return str(pictures(tmp_path_factory.mktemp("images") / "pictures"))


@pytest.fixture(scope="session")
def tiny(images: str) -> dict[str, object]:
    """The words of the smallest whole job, with one random architecture of each kind beside it."""
    return {**TINY, "data": images, "random": 1, "random_at_equal_latency": 1}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny: dict[str, object]) -> surgenas.Result:
    """The smallest whole job, done. Who changes its folder copies it first."""
    return surgenas.search(out=tmp_path_factory.mktemp("runs") / "whole", **tiny)


@pytest.fixture(scope="session")
def profiled(tmp_path_factory: pytest.TempPathFactory, tiny: dict[str, object]) -> Path:
    """A run of a method that samples, whose predictor is chosen, nothing searched yet."""
    how = {**tiny, "method": "random", "method_settings": {"trials": 4}, "epochs": 1, "train_epochs": 1}
    run = new_run(tmp_path_factory.mktemp("profiled") / "run", **how)
    prepare(run)
    measure_profile(run)
    fit_predictor(run)
    return run.folder


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of weights of timm's test_resnet for another number of classes than the tiny images have."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "test_resnet.safetensors"
    save_weights(path, make_network("test_resnet", 7, 24).state_dict())
    return str(path)


@pytest.fixture(scope="session")
def adapting(images: str, weights: str) -> dict[str, object]:
    """The words of the smallest whole job that begins with weights."""
    settings = {"population": 4, "generations": 1, "parents": 2}
    return {**TINY, "data": images, "resolution": 24, "network": "test_resnet", "weights": weights, "method": "spos",
            "method_settings": settings, "epochs": 1, "train_epochs": 1, "predictors": ("process",)}  # fmt: skip


@pytest.fixture(scope="session")
def adapted(tmp_path_factory: pytest.TempPathFactory, adapting: dict[str, object]) -> surgenas.Result:
    """The smallest whole job that begins with weights, done. Who changes its folder copies it first."""
    return surgenas.adapt(out=tmp_path_factory.mktemp("runs") / "adapted", **adapting)


@pytest.fixture(scope="session")
def handed(tmp_path_factory: pytest.TempPathFactory, images: str) -> Path:
    """A run whose found network is handed on in int8, in the format of its device."""
    folder = tmp_path_factory.mktemp("handed") / "run"
    run = trained(new_run(folder, data=images, device="tests.runs.written:HandingDevice"))
    run.record("export", export(run))
    return run.folder


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., Run]:
    """A new run with these words."""

    def make(name: str = "run", progress: Progress | None = None, **words: object) -> Run:
        config = make_config(**{"device": TOY, "resolution": 16, **words})
        return Run.create(tmp_path / name, config, progress or Progress())

    return make


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Run]:
    """A run folder of one's own."""

    def copy(folder: Path, progress: Progress | None = None) -> Run:
        shutil.copytree(folder, tmp_path / "copied")
        return Run.open(tmp_path / "copied", progress or Progress())

    return copy
