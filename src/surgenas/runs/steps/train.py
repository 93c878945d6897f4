"""Train the found network from scratch, and with the same recipe what it is compared with at equal latency."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

import numpy as np
from lightning_fabric import Fabric
from torch import Tensor

from surgenas.core import moves
from surgenas.core.architecture import Architecture
from surgenas.core.seeds import derive as derive_seed
from surgenas.core.seeds import generator
from surgenas.core.units import show_ms
from surgenas.runs.checkpoint import Checkpoints, load_weights, save_weights
from surgenas.runs.run import Run
from surgenas.hardware.costs import read_cost
from surgenas.hardware.target import Effort
from surgenas.runs.steps.measured import fitted_predictor, measure
from surgenas.runs.steps.search import check_time
from surgenas.spaces import space_of
from surgenas.spaces.mobile import drop_duplicates
from surgenas.tasks.data import Dataset
from surgenas.training.loop import Epoch, Recipe, accuracy, fit, make_fabric

DEFAULT_EPOCHS = 60
DIGITS_EPOCHS = 18
WIDTHS = tuple(round(0.1 + 0.02 * i, 2) for i in range(100))
EQUAL = 0.03
"""Latencies within 3 % count as equal."""
FOUND, REFERENCE = "found", "MobileNetV2"


def recipe(run: Run) -> Recipe:
    """One recipe for all networks of a run."""
    plan = run.journal.last("planned")
    default = DIGITS_EPOCHS if run.config.data == "digits" else DEFAULT_EPOCHS
    epochs = int(plan["train_epochs"]) if plan else run.config.train_epochs or default
    return Recipe(epochs=epochs, batch=run.config.batch)


def train_all(run: Run, found: Architecture) -> None:
    """found, the reference, and as many random architectures as wanted, each its own stage."""
    train(run, FOUND, found)
    for name, arch in rivals(run).items():
        train(run, name, arch)


def rivals(run: Run) -> dict[str, Architecture]:
    """MobileNetV2 scaled in width to the found network's measured latency, random architectures of that latency, and
    random ones of any."""
    known = run.result("rivals")
    if known is None:
        with run.stage("rivals") as result:
            target = read_cost((run.result("derive") or {})["cost"]).ms
            reference = _reference(run, target)
            rng = generator(run.config.seed, "uniform")
            chosen = {REFERENCE: reference}
            chosen |= {f"random {i + 1}": arch for i, arch in enumerate(_random(run, target))}
            chosen |= {f"uniform {i + 1}": moves.sample(run.space, rng) for i in range(run.config.uniform)}
            result["architectures"] = {name: arch.to_dict() for name, arch in chosen.items()}
        known = result
    return {name: Architecture.from_dict(record) for name, record in known["architectures"].items()}


def train(run: Run, name: str, arch: Architecture) -> None:
    """Train one network and report it on the test part, which no decision has seen."""
    stage = f"train {name}"
    if run.result(stage) is not None:
        return
    with run.stage(stage) as result:
        state = _fit(run, name, arch)
        save_weights(run.folder / weights_file(name), state)
        network = load_weights(run.folder / weights_file(name), space_of(arch).build(arch))
        result["accuracy"] = accuracy(network, run.data, run.data.test)
        run.progress.log(f"{name}: test accuracy {result['accuracy']:.2%}")


def weights_file(name: str) -> str:
    """model.safetensors for the found network, models/<name>.safetensors for its rivals."""
    return "model.safetensors" if name == FOUND else f"models-{name.replace(' ', '-')}.safetensors"


def _fit(run: Run, name: str, arch: Architecture) -> dict[str, Tensor]:
    plan = recipe(run)
    checkpoints = run.checkpoints(f"train-{name.replace(' ', '-')}")
    seed = derive_seed(run.config.seed, "train")  # the same for all: they differ in the architecture alone
    if run.config.devices > 1:
        # arguments are bound, not passed: Fabric would try to assign to the fields of our frozen values
        work = partial(_on_rank, arch=arch, data=run.data, plan=plan, seed=seed, checkpoints=checkpoints)
        make_fabric(run.config.accelerator, run.config.devices).launch(work)
    # after several processes this reads their last checkpoint: tensors do not outlive the process that returns them
    fabric = make_fabric(run.config.accelerator, 1)
    with _progress(run, name, plan.epochs, (checkpoints.numbers() or [0])[-1]) as on_epoch:
        return fit(
            fabric,
            lambda: space_of(arch).build(arch),
            run.data,
            plan,
            seed=seed,
            checkpoints=checkpoints,
            on_epoch=on_epoch,
        )


def _on_rank(
    fabric: Fabric, *, arch: Architecture, data: Dataset, plan: Recipe, seed: int, checkpoints: Checkpoints
) -> None:
    fit(fabric, lambda: space_of(arch).build(arch), data, plan, seed=seed, checkpoints=checkpoints)


class _OnEpoch:
    """Journal, progress bar and time limit after each epoch."""

    def __init__(self, run: Run, name: str, advance: object) -> None:
        self.run, self.name, self.advance = run, name, advance

    def __call__(self, epoch: Epoch) -> None:
        if not self.run.journal.all("trained", network=self.name, epoch=epoch.epoch):
            self.run.journal.append("trained", network=self.name, **asdict(epoch))
        self.advance(f"loss {epoch.loss:.2f}")  # type: ignore[operator]
        check_time(self.run)


@contextmanager
def _progress(run: Run, name: str, epochs: int, done: int) -> Iterator[_OnEpoch]:
    with run.progress.task(f"train {name}", epochs, done) as task:
        yield _OnEpoch(run, name, task.advance)


def _reference(run: Run, target_ms: float) -> Architecture:
    """The MobileNetV2 width measured nearest to the target: coarsely first, then around the guess until it is equal."""
    archs = drop_duplicates([run.space.reference(width) for width in WIDTHS])
    log_widths = np.log([float(dict(arch.space.settings)["width"]) for arch in archs])
    coarse = range(0, len(archs), max(1, len(archs) // 6))
    rough = measure(run, "reference", archs[coarse.start :: coarse.step])
    seen = {i: np.log(m.ms / target_ms) for i, m in zip(coarse, rough, strict=True)}
    fine: dict[int, float] = {}
    for turn in range(1, 4):
        places = sorted(seen)
        guess = np.interp(log_widths, log_widths[places], [seen[i] for i in places])
        near = [int(i) for i in np.argsort(np.abs(guess)) if i not in fine][:5]
        measured = measure(run, "reference", [archs[i] for i in near], Effort.CLAIM, turn=turn)
        fine |= {i: float(np.log(m.ms / target_ms)) for i, m in zip(near, measured, strict=True)}
        seen |= fine
        if min(map(abs, fine.values())) <= EQUAL:
            break
    return archs[min(fine, key=lambda i: abs(fine[i]))]


def _random(run: Run, target_ms: float) -> list[Architecture]:
    """Uniformly drawn architectures whose measured latency equals the target's; drawn in batches, bounded."""
    if not run.config.random:
        return []
    predictor = fitted_predictor(run)
    rng = generator(run.config.seed, "random")
    chosen: list[Architecture] = []
    for turn in range(2, 8):
        drawn = [moves.sample(run.space, rng) for _ in range(4000)]
        near = np.abs(predictor.predict(moves.encode(run.space, drawn)) / target_ms - 1) <= EQUAL
        batch = [arch for arch, ok in zip(drawn, near, strict=True) if ok][: 2 * run.config.random]
        rough = _equal(run, batch, target_ms, 2 * EQUAL, Effort.LEARN, turn)
        chosen += _equal(run, rough, target_ms, EQUAL, Effort.CLAIM, turn)
        if len(chosen) >= run.config.random:
            break
    if len(chosen) < run.config.random:
        run.progress.log(f"only {len(chosen)} random architectures near {show_ms(target_ms)} were found")
    return chosen[: run.config.random]


def _equal(
    run: Run, archs: list[Architecture], target_ms: float, tolerance: float, effort: Effort, turn: int
) -> list[Architecture]:
    """Those whose measured latency is the target's."""
    stage = "rivals" if effort is Effort.CLAIM else "rivals-roughly"
    measured = measure(run, stage, archs, effort, turn=turn)
    return [arch for arch, m in zip(archs, measured, strict=True) if abs(m.ms / target_ms - 1) <= tolerance]
